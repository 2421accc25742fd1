"""Photographs in place of icons: of each drawn cell the patch of its nearest exemplar, as tiles like the icons'."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.core.deep_zoom import IconLayout, TileForm, density_sides, level_rows, write_pyramid
from pipeline.core.files import allocate
from pipeline.core.progress import tracked
from pipeline.images.crops import Crop, CropSize, crop_around
from pipeline.model.description import LayerShape
from pipeline.site.read_artifacts import AtlasLevel, AtlasSource

FOLDER = "photographs"  # below the data of an atlas
QUALITY = 85  # where that of the icons' tiles is not recorded


@dataclass(frozen=True, eq=False)
class PhotographLevel:
    """The photographs of one grid level of an atlas.

    Attributes:
        folder: of their tiles, below the data of the site.
        layout: cell and size of each photograph; they are of the drawn cells.
        image: [photograph] row of the image that it is a part of.
        crop: [photograph] that part.
        pixels: side of a photograph.
        tiles: form of the tiles, that of the icons.
    """

    folder: str
    layout: IconLayout
    image: NDArray[np.int64]
    crop: tuple[Crop, ...]
    pixels: int
    tiles: TileForm


def photograph_pixels(width: int, size: int, patch: CropSize) -> int:
    """Side of a cell in the photographs of a level: an icon's, but no more than the patch has itself.

    Args:
        width: of the level's image of icons, pixels.
        size: cells per side.
        patch: size of the layer's patches.
    """
    return max(1, min(width // size, patch.pixels))


def photograph_level(
    folder: str, level: AtlasLevel, source: AtlasSource, shape: LayerShape, crop: int
) -> PhotographLevel:
    """The photographs of a level that has drawn cells.

    Args:
        folder: below the data of the site.
        level: its cells.
        source: its atlas.
        shape: of the layer's map.
        crop: side of the network's input, pixels.
    """
    grid, patch = level.grid, CropSize(shape.receptive_field, crop)
    drawn = np.flatnonzero(grid.drawn)
    nearest = np.asarray(grid.exemplar[drawn, 0])
    recorded = source.tiles.get("settings", {}).get("tile", {})
    width = source.tiles["levels"][str(level.size)]["width"]
    pixels = photograph_pixels(width, level.size, patch)
    side = np.full(len(drawn), pixels)
    if recorded.get("size_by_density"):
        side = density_sides(grid.count[drawn], level.size**2, int(grid.count.sum()), pixels)
    return PhotographLevel(
        folder=folder,
        layout=IconLayout(level.size, grid.cell[drawn], side, nearest < 0),
        image=np.where(nearest >= 0, source.image[np.maximum(nearest, 0)], -1),
        crop=tuple(
            crop_around((int(y), int(x)), (shape.height, shape.width), patch.pixels, crop)
            for y, x in source.position[np.maximum(nearest, 0)]
        ),
        pixels=pixels,
        tiles=TileForm(source.tiles["tile_size"], source.tiles["format"], recorded.get("quality", QUALITY)),
    )


class Photographs:
    """Collects the patches image by image, since each image is read once for all levels, and writes the tiles."""

    def __init__(self, data: Path, levels: Sequence[PhotographLevel]) -> None:
        """Prepare a file of patches for each level.

        Args:
            data: folder of the site's data.
            levels: all that have drawn cells.
        """
        self._levels = levels
        self._folders = [data / level.folder for level in levels]
        self._uses: dict[int, list[tuple[int, int]]] = {}
        self._patches: list[NDArray[np.uint8]] = []
        for number, (level, folder) in enumerate(zip(levels, self._folders, strict=True)):
            folder.mkdir(parents=True, exist_ok=True)
            shape = (len(level.image), level.pixels, level.pixels, 3)
            self._patches.append(np.memmap(self._file(number), np.uint8, "w+", shape=shape))
            allocate(self._file(number))
            for index, row in enumerate(level.image.tolist()):
                self._uses.setdefault(row, []).append((number, index))

    def add(self, row: int, seen: Image.Image) -> None:
        """Cut the photographs of one image out of what the network sees of it.

        Args:
            row: of the image.
            seen: RGB, see :func:`pipeline.images.crops.network_crop`.
        """
        for number, index in self._uses.get(row, ()):
            level = self._levels[number]
            left, top, side = (getattr(level.crop[index], name) for name in ("left", "top", "side"))
            patch = seen.convert("RGB").crop((left, top, left + side, top + side))
            if side != level.pixels:
                patch = patch.resize((level.pixels, level.pixels), Image.Resampling.LANCZOS)
            self._patches[number][index] = np.asarray(patch)

    def write(self) -> None:
        """Write the tiles of every level."""
        for number in tracked(range(len(self._levels)), "photograph tiles", len(self._levels), "level"):
            level, patches = self._levels[number], self._patches[number]

            def read(first: int, last: int, patches: NDArray[np.uint8] = patches) -> NDArray[np.uint8]:
                return np.asarray(patches[first:last])

            rows: Iterable[NDArray[np.uint8]] = level_rows(level.layout, read, level.pixels)
            size = level.layout.size
            write_pyramid(self._folders[number], str(size), rows, size * level.pixels, level.tiles)
            self._file(number).unlink()
        self._patches.clear()

    def _file(self, number: int) -> Path:
        return self._folders[number] / f"{self._levels[number].layout.size}.patches"
