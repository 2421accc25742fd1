"""Batches of network input, decoded beside the network so that neither waits for long."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from os import cpu_count

import torch
from torch import Tensor

AHEAD = 2  # batches decoded before they are asked for


def batches(load: Callable[[int], Tensor], count: int, size: int) -> Iterator[tuple[range, Tensor]]:
    """Images ``0 .. count - 1`` in order, ``size`` at a time.

    Args:
        load: gives the network input [3, y, x] of one image; called from several threads.
        count: number of images.
        size: images in a batch; the last may be smaller.

    Yields:
        the images' numbers, and their inputs [image, 3, y, x]
    """
    spans = [range(start, min(start + size, count)) for start in range(0, count, size)]
    waiting: deque[tuple[range, list[Future[Tensor]]]] = deque()
    pool = ThreadPoolExecutor(cpu_count() or 1)
    try:
        for span in spans:
            waiting.append((span, [pool.submit(load, number) for number in span]))
            if len(waiting) > AHEAD:
                yield _finished(*waiting.popleft())
        while waiting:
            yield _finished(*waiting.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


def _finished(span: range, futures: list[Future[Tensor]]) -> tuple[range, Tensor]:
    return span, torch.stack([future.result() for future in futures])
