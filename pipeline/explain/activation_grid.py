"""One image in the atlas: each position of its map drawn as the icon of the cell that its activation resembles most.

After the activation grids of Olah et al. 2018, "The Building Blocks of Interpretability", with the icons of the atlas
in place of ones that are rendered for each position: so each of them is a place on the map.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.core.artifacts import GRID, ICONS
from pipeline.core.grid_levels import grid_level, icon_level, level_sizes
from pipeline.core.icon_styles import style_group
from pipeline.core.nearest_cells import nearest_cells
from pipeline.core.zarr_store import array, open_artifact, read_rows

LONGEST_SIDE = 720  # of a picture, pixels
LARGEST_ICON = 40  # pixels
LEAST_SHARE = 0.3  # of its place, for the side of the icon of a position without activation
USUAL_LEVEL = 20  # cells a side
PAPER = 255

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class AtlasIcons:
    """The drawn cells of one level of a layer's atlas of all samples.

    Attributes:
        layer: dotted module path.
        level: cells a side.
        cell: (row, column) of each drawn cell, [icon, 2].
        icons: uint8 [icon, y, x, 3].
        activation: mean of each drawn cell, [icon, channel].
        mean: of the whole layer, [channel].
    """

    layer: str
    level: int
    cell: NDArray[np.int64]
    icons: Pixels
    activation: Floats
    mean: Floats


def read_atlas_icons(outputs: Path, layer: str) -> AtlasIcons | None:
    """The level of a layer's atlas that is nearest to 20 × 20 cells; None where it has no icon.

    Args:
        outputs: folder of the run's artifacts.
        layer: dotted module path.

    Raises:
        ArtifactError: the atlas is missing or damaged.
    """
    grid = open_artifact(GRID, GRID.path(outputs, layer, "all"))
    icons = style_group(open_artifact(ICONS, ICONS.path(outputs, layer, "all")))
    size = min(level_sizes(icons), key=lambda one: (abs(one - USUAL_LEVEL), one))
    level, drawn = grid_level(grid, size), icon_level(icons, size)
    rows = np.flatnonzero(np.isfinite(drawn.fidelity))
    if not len(rows):
        return None
    cells = drawn.cell[rows]
    return AtlasIcons(
        layer=layer,
        level=size,
        cell=level.cell[cells].astype(np.int64),
        icons=np.asarray(read_rows(drawn.icon, rows)),
        activation=np.asarray(read_rows(array(level.group, "activation"), cells)),
        mean=np.asarray(array(grid, "mean")[...]),
    )


@dataclass(frozen=True, eq=False)
class ActivationGrid:
    """The positions of an image in the atlas.

    Attributes:
        icon: number of each position's icon, [y, x].
        similarity: centered cosine to the mean of its cell, -1..1, [y, x].
        magnitude: length of each activation as a share of the longest one in the image, 0..1, [y, x].
    """

    icon: NDArray[np.int64]
    similarity: Floats
    magnitude: Floats


def locate_positions(atlas: AtlasIcons, grid: Floats) -> ActivationGrid:
    """The cell that each position of a map resembles most.

    Args:
        atlas: of the map's layer.
        grid: the map [channel, y, x].
    """
    flat = np.ascontiguousarray(grid.reshape(len(grid), -1).T)
    found = nearest_cells(flat, atlas.activation, atlas.mean)
    length = np.linalg.norm(flat.astype(np.float64), axis=1)
    magnitude = length / max(float(length.max(initial=0)), np.finfo(np.float64).tiny)
    shape = grid.shape[1:]
    return ActivationGrid(
        found.cell.reshape(shape), found.similarity.reshape(shape), magnitude.astype(np.float32).reshape(shape)
    )


def picture(atlas: AtlasIcons, found: ActivationGrid) -> Image.Image:
    """The icons of all positions, each as large as its activation is long.

    Args:
        atlas: of the layer.
        found: the positions of an image.
    """
    height, width = found.icon.shape
    place = max(4, min(LARGEST_ICON, LONGEST_SIDE // max(height, width)))
    canvas = np.full((height * place, width * place, 3), PAPER, np.uint8)
    for (row, column), icon in np.ndenumerate(found.icon):
        share = LEAST_SHARE + (1 - LEAST_SHARE) * float(found.magnitude[row, column])
        side = max(2, round(place * share))
        small = Image.fromarray(atlas.icons[icon]).resize((side, side), Image.Resampling.LANCZOS)
        top, left = row * place + (place - side) // 2, column * place + (place - side) // 2
        canvas[top : top + side, left : left + side] = np.asarray(small)
    return Image.fromarray(canvas)
