"""One image in the atlas: each position of its map drawn as the icon of the cell that its activation resembles most.

After the activation grids of Olah et al. 2018, "The Building Blocks of Interpretability", with the icons of the atlas
in place of ones that are rendered for each position: so each of them is a place on the map.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.core.atlas_icons import AtlasIcons
from pipeline.core.nearest_cells import nearest_cells

LONGEST_SIDE = 720  # of a picture, pixels
LARGEST_ICON = 40  # pixels
LEAST_SHARE = 0.3  # of its place, for the side of the icon of a position without activation
PAPER = 255

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


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
