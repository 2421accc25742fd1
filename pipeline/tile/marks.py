"""What a cell shows: its icon, smaller where samples are sparse, or the mark of an icon that failed."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

STRIPE = 8
LIGHT, DARK = 214, 190


def fitted(icon: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """An icon [y, x, 3] as a square of ``side`` pixels, by Lanczos filtering where the size differs."""
    if icon.shape[0] == side:
        return icon
    return np.asarray(Image.fromarray(icon).resize((side, side), Image.Resampling.LANCZOS))


def hatched(side: int) -> NDArray[np.uint8]:
    """The mark of a failed icon [side, side, 3]: pale diagonal stripes, which no network draws."""
    diagonal = np.add.outer(np.arange(side), np.arange(side)) // STRIPE % 2
    return np.repeat(np.where(diagonal, LIGHT, DARK).astype(np.uint8)[:, :, None], 3, axis=2)


def density_sides(count: NDArray[np.int64], cells: int, samples: int, side: int) -> NDArray[np.int64]:
    """Sides in pixels [icon] whose area is in proportion to the samples of the cell, up to the mean count.

    Carter et al. 2019 draw the published atlases so: side = cell · min(1, √(n / (N / cells))).

    Args:
        count: [icon] samples of each drawn cell.
        cells: all cells of the level, empty ones included.
        samples: all samples of the level.
        side: of a whole cell, pixels.
    """
    share = np.sqrt(np.minimum(1, count * (cells / samples)))
    sides: NDArray[np.int64] = np.maximum(1, np.rint(side * share)).astype(np.int64)
    return sides
