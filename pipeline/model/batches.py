"""Batches of network input, decoded beside the network so that neither waits for long."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

AHEAD = 2  # batches decoded before they are asked for; memory holds no more
BESIDE_PROCESSOR = 2  # threads that decode beside a network on the processor, which wants the others for itself
BESIDE_GPU = 16


def decoders(device: str) -> int:
    """How many threads decode for a network on ``device``: a GPU waits for as many as there are, up to a limit."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, BESIDE_PROCESSOR if device == "cpu" else BESIDE_GPU)


def batches(
    load: Callable[[int], Tensor], count: int, size: int, device: str = "cpu"
) -> Iterator[tuple[range, Tensor]]:
    """Images ``0 .. count - 1`` in order, ``size`` at a time.

    Args:
        load: gives the network input [3, y, x] of one image; called from several threads.
        count: number of images.
        size: images in a batch; the last may be smaller.
        device: where the network runs.

    Yields:
        the images' numbers, and their inputs [image, 3, y, x], channels last in memory
    """
    spans = [range(start, min(start + size, count)) for start in range(0, count, size)]
    waiting: deque[tuple[range, list[Future[Tensor]]]] = deque()
    pool = ThreadPoolExecutor(decoders(device))
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
    # channels last, as images are decoded and as the networks run: any other order would be copied twice
    return span, torch.stack([future.result().movedim(0, -1) for future in futures]).movedim(-1, 1)
