"""Network inputs: normalized images, and batches decoded ahead of the network."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pipeline.config.model import PreprocessingSettings

PREFETCH = 2  # batches decoded before they are needed; memory holds no more
CPU_DECODERS = 2  # threads that decode while the network runs on the CPU, which needs the other cores itself
GPU_DECODERS = 16


def to_tensor(image: Image.Image, settings: PreprocessingSettings) -> Tensor:
    """A cropped RGB image as the network's input, float32 [3, crop, crop], normalized per channel.

    In memory the channels of a pixel are contiguous, as in the image. Whole rows of pixels are processed at once, with
    the mean and deviation of the channels repeated along them: an operation on three numbers at a time costs many times
    more.
    """
    height, width = image.height, image.width
    rows = torch.from_numpy(np.array(image)).to(torch.float32).reshape(height, width * 3)
    mean, std = (rows.new_tensor(numbers).repeat(width) for numbers in (settings.mean, settings.std))
    return rows.div_(255).sub_(mean).div_(std).reshape(height, width, 3).movedim(-1, 0)


def normalize(pixels: Tensor, settings: PreprocessingSettings) -> Tensor:
    """RGB values in 0..1, [..., 3, y, x], minus the network's mean and divided by its standard deviation."""
    mean = pixels.new_tensor(settings.mean)[:, None, None]
    std = pixels.new_tensor(settings.std)[:, None, None]
    return (pixels - mean) / std


def decoder_threads(device: str) -> int:
    """How many threads decode images for a network on ``device``: for a GPU one per core, up to a limit."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, CPU_DECODERS if device == "cpu" else GPU_DECODERS)


def input_batches(
    load: Callable[[int], Tensor], count: int, size: int, device: str = "cpu"
) -> Iterator[tuple[range, Tensor]]:
    """Images ``0 .. count - 1`` in order, ``size`` at a time, decoded in threads while the network runs.

    Args:
        load: returns the network input [3, y, x] of one image; called from several threads.
        count: number of images.
        size: images in a batch; the last may be smaller.
        device: where the network runs.

    Yields:
        the image numbers, and their inputs [image, 3, y, x], channels last in memory
    """
    spans = [range(start, min(start + size, count)) for start in range(0, count, size)]
    pending: deque[tuple[range, list[Future[Tensor]]]] = deque()
    pool = ThreadPoolExecutor(decoder_threads(device))
    try:
        for span in spans:
            pending.append((span, [pool.submit(load, number) for number in span]))
            if len(pending) > PREFETCH:
                yield _stack(*pending.popleft())
        while pending:
            yield _stack(*pending.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


def _stack(span: range, futures: list[Future[Tensor]]) -> tuple[range, Tensor]:
    # channels last, as images are decoded and as the networks run: any other order would be copied twice
    return span, torch.stack([future.result().movedim(0, -1) for future in futures]).movedim(-1, 1)
