"""The drawn cells of a grid's levels, as the stage ``render`` reads them."""

from dataclasses import dataclass

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core import zarr_store as store
from pipeline.render.level import Finished, Level
from pipeline.render.lineage import parent_rows


@dataclass(frozen=True, eq=False)
class Cells:
    """The drawn cells of a level.

    Attributes:
        size: cells a side.
        row: [icon], row among all cells of the level.
        place: [icon, 2] as (row, column).
        mean: [icon, channel], raw mean activation.
        reliability: [icon].
    """

    size: int
    row: NDArray[np.intp]
    place: NDArray[np.int32]
    mean: NDArray[np.float32]
    reliability: NDArray[np.float32]


def drawn_cells(grid: zarr.Group) -> list[Cells]:
    """The drawn cells of every level, from coarse to fine."""
    return [_cells(grid, size) for size in sorted(int(name) for name in grid.group_keys())]


def parents(cells: Cells, coarser: Cells | None, icons: Level | None) -> list[Finished | None]:
    """The icon that each cell's starts from; None where the coarser level has no sound one, or there is none.

    Args:
        cells: of a level.
        coarser: of the level before.
        icons: of that level.
    """
    if coarser is None or icons is None:
        return [None] * len(cells.row)
    rows = parent_rows(cells.place, cells.size, coarser.place, coarser.size)
    return [icons.finished.get(int(row)) for row in rows]


def _cells(grid: zarr.Group, size: int) -> Cells:
    level = store.level(grid, size)
    row = np.flatnonzero(store.array(level, "drawn")[:])
    return Cells(
        size=size,
        row=row,
        place=np.asarray(store.array(level, "cell")[:])[row],
        mean=np.asarray(store.array(level, "activation")[:])[row],
        reliability=np.asarray(store.array(level, "reliability")[:])[row],
    )
