"""The image of one grid level, and its Deep Zoom pyramid, written by libvips.

The image comes in rows of cells: icons resized, centered in their cells, or marked as failed.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import Image

ReadIcons = Callable[[int, int], NDArray[np.uint8]]

STRIPE = 8
LIGHT, DARK = 214, 190
OVERLAP = 1


@dataclass(frozen=True)
class TileForm:
    """How an image is cut and stored.

    Attributes:
        tile_size: side of a tile without its overlap, pixels.
        format: ``webp``, ``png`` or ``jpeg`` (no transparency: empty cells are white).
        quality: of the lossy formats, 1..100.
    """

    tile_size: int
    format: str
    quality: int


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


def write_pyramid(folder: Path, name: str, rows: Iterable[NDArray[np.uint8]], side: int, form: TileForm) -> None:
    """Write ``<name>.dzi`` and ``<name>_files/`` of a square image into ``folder``.

    libvips streams the image from one raw file, so that memory stays small whatever its size.

    Args:
        folder: output folder.
        name: of the pyramid.
        rows: strips [y, side, 4] RGBA from top to bottom, ``side`` pixels high in total.
        side: of the image, pixels.
        form: of the tiles.

    Raises:
        OSError: the tiles cannot be written.
    """
    raw = folder / f"{name}.raw"
    with raw.open("wb") as file:
        for strip in rows:
            file.write(strip.tobytes())
    try:
        image = pyvips.Image.rawload(str(raw), side, side, 4, interpretation="srgb", access="sequential")
        if form.format == "jpeg":
            image = image.flatten(background=[255, 255, 255])
        image.dzsave(str(folder / name), tile_size=form.tile_size, overlap=OVERLAP, suffix=_suffix(form), keep="none")
    except pyvips.Error as error:
        raise OSError(f"{folder / name}: the tiles cannot be written: {' '.join(str(error).split())}") from None
    finally:
        raw.unlink()
    # libvips writes the time and the raw file's path here, so the file would differ from run to run
    (folder / f"{name}_files" / "vips-properties.xml").unlink(missing_ok=True)


def _suffix(form: TileForm) -> str:
    """The tile format and its options as libvips writes them; effort 2 is twice as fast for a few more bytes."""
    return {
        "webp": f".webp[Q={form.quality},effort=2]",
        "jpeg": f".jpeg[Q={form.quality}]",
        "png": ".png",
    }[form.format]
