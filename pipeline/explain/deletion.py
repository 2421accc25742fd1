"""Deletion and insertion: how a score changes as pixels are removed, or put back, in the order of a heat map.

Petsiuk et al. 2018, "RISE: Randomized Input Sampling for Explanation of Black-box Models". A map that is high where the
score comes from gives a deletion curve with a small area under it, and an insertion curve with a large one. What a map
adds is seen beside two orders that know nothing of the network: a random one, and one from the center outwards.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.explain.heatmaps import is_constant

DEVIATION = 0.25  # standard deviation of the center blob, as a share of the side
TIES, RANDOM_MAPS = 0, 1  # what random numbers are drawn for, part of their seeds

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Curves:
    """Scores over the share of pixels that are changed, 0..1 in equal steps.

    Attributes:
        deletion: as pixels are removed from the image, [image, step]; the first is that of the whole image.
        insertion: as pixels are put back where all were removed, [image, step]; the last is that of the whole image.
    """

    deletion: Floats
    insertion: Floats

    def areas(self) -> tuple[Floats, Floats]:
        """The areas under the deletion and the insertion curves, [image] each, by the trapezoidal rule.

        The share of pixels goes from 0 to 1, so that an area is the mean score and has its range.
        """
        return area(self.deletion), area(self.insertion)


def area(curves: Floats) -> Floats:
    """The areas under curves [row, step] over 0..1 by the trapezoidal rule, [row]."""
    return np.asarray(np.trapezoid(curves, dx=1 / (curves.shape[1] - 1), axis=1))


def deletion_insertion(
    share: Callable[[Tensor, Tensor], Tensor],
    inputs: Tensor,
    removed: Tensor,
    units: Tensor,
    heat: Tensor,
    *,
    rows: Sequence[int],
    seed: int,
    steps: int,
    batch_size: int,
) -> Curves:
    """Remove the pixels of images in the order of heat maps, highest first, and put them back in the same order.

    Args:
        share: the scores [image] of inputs and units, as :meth:`pipeline.explain.scores.Scores.shares`.
        inputs: normalized, [image, 3, y, x].
        removed: the same with every pixel removed, as :func:`pipeline.explain.fill.filled` gives it, [image, 3, y, x].
        units: index of each image's unit, [image], int64.
        heat: heat maps in the resolution of the inputs, [image, y, x].
        rows: numbers that name the images, for the order of equal values; see :func:`pixel_order`.
        seed: of the run.
        steps: at least 1. After step s, a share s / steps of the pixels is changed, rounded to whole pixels.
        batch_size: inputs in one forward pass.
    """
    order = pixel_order(heat, rows, seed)
    pixels = order.shape[1]
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(pixels)[None], axis=1)
    rank = torch.from_numpy(ranks).to(inputs.device).reshape(heat.shape)
    counts = np.rint(np.linspace(0, pixels, steps + 1)).astype(np.int64)
    # an insertion starts and ends with the inputs that the deletion ends and starts with
    changed = torch.from_numpy(np.concatenate([counts, counts[1:-1]])).to(inputs.device)
    inserts = torch.arange(2 * steps, device=inputs.device) > steps
    scores = np.empty(len(inputs) * 2 * steps)
    with torch.no_grad():
        for first in range(0, len(scores), batch_size):
            numbers = torch.arange(first, min(first + batch_size, len(scores)), device=inputs.device)
            image, version = numbers // (2 * steps), numbers % (2 * steps)
            is_changed = rank[image] < changed[version][:, None, None]
            shown = is_changed == inserts[version][:, None, None]
            batch = torch.where(shown[:, None], inputs[image], removed[image])
            batch = batch.contiguous(memory_format=torch.channels_last)
            scores[first : first + len(numbers)] = share(batch, units[image]).double().cpu().numpy()
    of_image = scores.reshape(len(inputs), 2 * steps)
    deletion, between = of_image[:, : steps + 1], of_image[:, steps + 1 :]
    return Curves(deletion, np.concatenate([deletion[:, -1:], between, deletion[:, :1]], axis=1))


def pixel_order(heat: Tensor, rows: Sequence[int], seed: int) -> Ints:
    """The pixels of each heat map from the highest value to the lowest, [image, pixel], counted row by row.

    Pixels of equal value are in an order that is drawn for each image, so the order of a constant map is random. It
    depends on the seed and the image's number alone, not on the other images.

    Args:
        heat: heat maps [image, y, x].
        rows: numbers that name the images, 0 or higher, such as rows of the list of images.
        seed: of the run.
    """
    # the values of a constant map differ by rounding errors, which may have an order of their own
    flat = heat.flatten(1).masked_fill(is_constant(heat)[:, None], 0).cpu().numpy()
    order = np.empty(flat.shape, np.int64)
    for number, (row, values) in enumerate(zip(rows, flat, strict=True)):
        mixed = np.random.default_rng([seed, TIES, row]).permutation(len(values))
        order[number] = mixed[np.argsort(-values[mixed], kind="stable")]
    return order


def random_maps(rows: Sequence[int], side: int, seed: int) -> Tensor:
    """Random numbers in 0..1 as heat maps, [image, side, side] in float64: a control whose order is random.

    Args:
        rows: numbers that name the images, 0 or higher; with the seed, all that a map depends on.
        side: of the maps, pixels.
        seed: of the run.
    """
    maps = [np.random.default_rng([seed, RANDOM_MAPS, row]).random((side, side)) for row in rows]
    return torch.from_numpy(np.stack(maps)) if maps else torch.zeros(0, side, side, dtype=torch.float64)


def center_blob(side: int) -> Tensor:
    """A Gaussian around the center, 1 there, [side, side]: a control, since photographers center what they show.

    Args:
        side: of the map, pixels.
    """
    distance = torch.arange(side) - (side - 1) / 2
    squared = distance[:, None] ** 2 + distance**2
    return torch.exp(-squared / (2 * (DEVIATION * side) ** 2))
