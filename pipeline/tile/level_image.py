"""The image of one grid level, in rows of cells: icons resized, centered in their cells, or marked as failed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ReadIcons = Callable[[int, int], NDArray[np.uint8]]

STRIPE = 8
LIGHT, DARK = 214, 190


@dataclass(frozen=True)
class IconLayout:
    """Cell and size of each icon of a level.

    Attributes:
        size: cells per side.
        cell: [icon, 2] (row, column), in reading order.
        side: [icon] pixels; less than a whole cell where samples are sparse.
        failed: [icon] whether the icon could not be drawn, so that the failure pattern is shown.
    """

    size: int
    cell: NDArray[np.int32]
    side: NDArray[np.int64]
    failed: NDArray[np.bool_]


def level_rows(layout: IconLayout, read: ReadIcons, pixels: int) -> Iterator[NDArray[np.uint8]]:
    """Rows of cells [pixels, size · pixels, 4] RGBA from top to bottom; cells without an icon are transparent.

    Args:
        layout: cell and size of each icon.
        read: returns the icons [icon, y, x, 3] from one index up to another.
        pixels: side of a cell.
    """
    bounds = np.searchsorted(layout.cell[:, 0], np.arange(layout.size + 1))
    pattern = failure_pattern(pixels)
    for first, last in pairwise(bounds.tolist()):
        row = np.zeros((pixels, layout.size * pixels, 4), np.uint8)
        icons = read(first, last)
        for index in range(first, last):
            icon = pattern if layout.failed[index] else icons[index - first]
            _paste(row, resize_icon(icon, int(layout.side[index])), int(layout.cell[index, 1]) * pixels, pixels)
        yield row


def resize_icon(icon: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """An icon [y, x, 3] as a square of ``side`` pixels, by Lanczos filtering where the size differs."""
    if icon.shape[0] == side:
        return icon
    return np.asarray(Image.fromarray(icon).resize((side, side), Image.Resampling.LANCZOS))


def failure_pattern(side: int) -> NDArray[np.uint8]:
    """What a failed icon's cell shows [side, side, 3]: pale diagonal stripes, which no optimization produces."""
    diagonal = np.add.outer(np.arange(side), np.arange(side)) // STRIPE % 2
    return np.repeat(np.where(diagonal, LIGHT, DARK).astype(np.uint8)[:, :, None], 3, axis=2)


def density_sides(count: NDArray[np.int64], cells: int, samples: int, side: int) -> NDArray[np.int64]:
    """Sides in pixels [icon] for which area is proportional to the samples of the cell, up to the mean count.

    As in the atlases that Carter et al. 2019 published: side = cell · min(1, √(n / (N / cells))).

    Args:
        count: [icon] samples of each drawn cell.
        cells: all cells of the level, empty ones included.
        samples: all samples of the level.
        side: of a whole cell, pixels.
    """
    share = np.sqrt(np.minimum(1, count * (cells / samples)))
    sides: NDArray[np.int64] = np.maximum(1, np.rint(side * share)).astype(np.int64)
    return sides


def _paste(row: NDArray[np.uint8], icon: NDArray[np.uint8], left: int, pixels: int) -> None:
    """Paste an icon into the middle of the cell that starts at column ``left``."""
    side = len(icon)
    gap = (pixels - side) // 2
    target = row[gap : gap + side, left + gap : left + gap + side]
    target[..., :3] = icon
    target[..., 3] = 255
