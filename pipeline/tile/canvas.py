"""The picture of one grid level, filled row by row."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.tile.marks import fitted, hatched

ReadIcons = Callable[[int, int], NDArray[np.uint8]]


@dataclass(frozen=True)
class Placed:
    """Where the icons of a level go.

    Attributes:
        size: cells a side.
        cell: [icon, 2] (row, column), in reading order.
        side: [icon] pixels; less than a whole cell where samples are sparse.
        failed: [icon] there is nothing to show but the mark of failure.
    """

    size: int
    cell: NDArray[np.int32]
    side: NDArray[np.int64]
    failed: NDArray[np.bool_]


def canvas_rows(placed: Placed, read: ReadIcons, pixels: int) -> Iterator[NDArray[np.uint8]]:
    """Rows of cells [pixels, size · pixels, 4] RGBA from top to bottom; cells without an icon are transparent.

    Args:
        placed: where the icons go.
        read: gives the icons [icon, y, x, 3] from one index up to another.
        pixels: side of a cell.
    """
    bounds = np.searchsorted(placed.cell[:, 0], np.arange(placed.size + 1))
    mark = hatched(pixels)
    for first, last in pairwise(bounds.tolist()):
        row = np.zeros((pixels, placed.size * pixels, 4), np.uint8)
        icons = read(first, last)
        for index in range(first, last):
            icon = mark if placed.failed[index] else icons[index - first]
            _put(row, fitted(icon, int(placed.side[index])), int(placed.cell[index, 1]) * pixels, pixels)
        yield row


def _put(row: NDArray[np.uint8], icon: NDArray[np.uint8], left: int, pixels: int) -> None:
    """Lay an icon in the middle of the cell that begins at column ``left``."""
    side = len(icon)
    gap = (pixels - side) // 2
    target = row[gap : gap + side, left + gap : left + gap + side]
    target[..., :3] = icon
    target[..., 3] = 255
