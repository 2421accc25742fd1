"""Occlusion: how much a score falls when a square of the image is removed (Zeiler & Fergus 2014, section 4.2)."""

import torch
from torch import Tensor

from pipeline.explain.scores import Scores


def occlude(
    scores: Scores, inputs: Tensor, units: Tensor, fill: Tensor, size: float, stride: float, batch_size: int
) -> tuple[Tensor, Tensor]:
    """Maps of the fall of the score, and of what deletion follows (of classes the probability), [image, y, x].

    The square moves over the whole image. A pixel has the mean over all squares that cover it.

    Args:
        scores: what is explained.
        inputs: normalized, [image, 3, y, x].
        units: index of each image's unit, [image], int64.
        fill: what the square shows instead, of the shape of the inputs.
        size: side of the square, as a share of the input's side.
        stride: distance between neighboring squares, likewise.
        batch_size: images in one forward pass.
    """
    height, width = inputs.shape[-2:]
    side = max(1, round(size * width))
    step = max(1, round(stride * width))
    places = [(top, left) for top in starts(height, side, step) for left in starts(width, side, step)]
    found = torch.zeros(2, len(inputs), height, width, device=inputs.device)
    covered = torch.zeros(height, width, device=inputs.device)
    for top, left in places:
        covered[top : top + side, left : left + side] += 1
    with torch.no_grad():
        for image in range(len(inputs)):
            unit = units[image : image + 1]
            whole = torch.stack(_both(scores, inputs[image : image + 1], unit))
            for first in range(0, len(places), batch_size):
                some = places[first : first + batch_size]
                occluded = inputs[image].expand(len(some), *inputs.shape[1:]).clone()
                for number, (top, left) in enumerate(some):
                    area = (slice(None), slice(top, top + side), slice(left, left + side))
                    occluded[number][area] = fill[image][area]
                occluded = occluded.contiguous(memory_format=torch.channels_last)
                falls = whole - torch.stack(_both(scores, occluded, unit.expand(len(some))))
                for number, (top, left) in enumerate(some):
                    found[:, image, top : top + side, left : left + side] += falls[:, number, None, None]
    found /= covered
    return found[0], found[1]


def starts(length: int, side: int, step: int) -> list[int]:
    """Where squares begin along a side, so that they cover all of it.

    Args:
        length: of the side, pixels.
        side: of a square.
        step: distance between neighbors; the last one may be nearer.
    """
    found = list(range(0, max(1, length - side + 1), step))
    return found if found[-1] + side >= length else [*found, length - side]


def _both(scores: Scores, inputs: Tensor, units: Tensor) -> tuple[Tensor, Tensor]:
    every = scores.every(inputs).float()
    one = every.gather(1, units[:, None])[:, 0]
    if not scores.of_classes:
        return one, one
    return one, torch.softmax(every, 1).gather(1, units[:, None])[:, 0]
