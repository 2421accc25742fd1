"""An invented atlas: samples in every cell, classes with regions of their own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.cells import CellAssignment, assign_cells

FEWEST, MOST = 4, 13  # samples in a cell of the finest level
CHANNELS = 8
EXEMPLARS = 9
NOISE = 0.35  # of an attribution, logit; with it a heatmap has about the bytes that one of a real network has
SYLLABLES = ("ba", "den", "fir", "gol", "hu", "kam", "lin", "mor", "nes", "pul")
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class World:
    """What the atlas is made of.

    Attributes:
        classes: names of the network's classes, no two alike.
        xy: [sample, 2] places in the unit square.
        image: [sample] row of each sample's image; there is one image for each class.
        levels: cells, coarse to fine; all squares are occupied.
    """

    classes: tuple[str, ...]
    xy: Floats
    image: NDArray[np.int64]
    levels: tuple[CellAssignment, ...]


def world(sizes: Sequence[int], classes: int) -> World:
    """Samples in every cell of the finest level.

    Args:
        sizes: cells a side, coarse to fine.
        classes: how many, at most 1000.
    """
    random, finest = np.random.default_rng(0), sizes[-1]
    count = random.integers(FEWEST, MOST, finest**2, endpoint=True)
    row, column = np.divmod(np.repeat(np.arange(finest**2), count), finest)
    within = random.uniform(0.05, 0.95, (len(row), 2))
    xy = ((np.stack([column, row], axis=1) + within) / finest).astype(np.float32)
    levels = assign_cells(xy, sizes)
    return World(names(classes), xy, random.integers(0, classes, len(xy)), tuple(levels))


def names(count: int) -> tuple[str, ...]:
    """Invented words of three syllables, no two alike; at most 1000."""
    digits = (f"{number:03d}" for number in range(count))
    return tuple("".join(SYLLABLES[int(digit)] for digit in number) for number in digits)


def centers(level: CellAssignment) -> Floats:
    """The middle (x, y) of each cell, 0..1."""
    return ((level.cell[:, ::-1] + 0.5) / level.size).astype(np.float32)


def attribution(level: CellAssignment, classes: int) -> Floats:
    """[cell, class] logit: each class has a region of positive attribution, one of negative attribution, and noise."""
    random = np.random.default_rng(1)
    places = random.uniform(0, 1, (2, classes, 2)).astype(np.float32)
    width = random.uniform(0.04, 0.15, (2, classes)).astype(np.float32)
    x, y = centers(level).T[:, :, None]
    near = [
        np.exp(-((x - at[:, 0]) ** 2 + (y - at[:, 1]) ** 2) / (2 * wide**2))
        for at, wide in zip(places, width, strict=True)
    ]
    noise = np.random.default_rng(level.size).standard_normal((len(level.cell), classes), np.float32)
    found: Floats = 6 * near[0] - 2.5 * near[1] + NOISE * noise
    return found


def exemplars(level: CellAssignment) -> NDArray[np.int64]:
    """[cell, rank] the first samples of each cell, -1 where it has fewer."""
    order = np.argsort(level.of_point, kind="stable")
    first = np.searchsorted(level.of_point[order], np.arange(len(level.cell)))
    rank = np.arange(EXEMPLARS)
    at = np.minimum(first[:, None] + rank, len(order) - 1)
    found: NDArray[np.int64] = np.where(rank < level.count[:, None], order[at], -1)
    return found
