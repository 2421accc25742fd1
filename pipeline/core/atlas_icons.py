"""The drawn cells of one level of an atlas: their places, icons and mean activations."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.core.artifacts import GRID, ICONS
from pipeline.core.grid_levels import grid_level, icon_level, level_sizes
from pipeline.core.icon_styles import style_group
from pipeline.core.zarr_store import array, open_artifact, read_rows

USUAL_LEVEL = 20  # cells a side

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
        count: samples of each drawn cell, [icon].
        activation: mean of each drawn cell, [icon, channel].
        mean: of the whole layer, [channel].
    """

    layer: str
    level: int
    cell: NDArray[np.int64]
    icons: Pixels
    count: NDArray[np.int64]
    activation: Floats
    mean: Floats


def read_atlas_icons(outputs: Path, layer: str, level: int | None = None) -> AtlasIcons | None:
    """One level of a layer's atlas of all samples; None where it has no icon.

    Args:
        outputs: folder of the run's artifacts.
        layer: dotted module path.
        level: cells a side; None for the one that is nearest to 20.

    Raises:
        ArtifactError: the atlas is missing or damaged.
    """
    grid = open_artifact(GRID, GRID.path(outputs, layer, "all"))
    icons = style_group(open_artifact(ICONS, ICONS.path(outputs, layer, "all")))
    size = level or min(level_sizes(icons), key=lambda one: (abs(one - USUAL_LEVEL), one))
    cells, drawn = grid_level(grid, size), icon_level(icons, size)
    rows = np.flatnonzero(np.isfinite(drawn.fidelity))
    if not len(rows):
        return None
    numbers = drawn.cell[rows]
    return AtlasIcons(
        layer=layer,
        level=size,
        cell=cells.cell[numbers].astype(np.int64),
        icons=np.asarray(read_rows(drawn.icon, rows)),
        count=cells.count[numbers],
        activation=np.asarray(read_rows(array(cells.group, "activation"), numbers)),
        mean=np.asarray(array(grid, "mean")[...]),
    )
