"""Geometry of the grid: from points in the unit square to cells of nested levels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class CellAssignment:
    """The occupied cells of one grid level, in reading order, and the cell of each point.

    Attributes:
        size: cells per side of the whole grid.
        cell: [cell, 2] (row, column).
        of_point: [point] index into ``cell`` of the cell that each point lies in.
    """

    size: int
    cell: NDArray[np.int32]
    of_point: NDArray[np.int64]

    @property
    def count(self) -> NDArray[np.int64]:
        """[cell] points in each cell."""
        return np.bincount(self.of_point, minlength=len(self.cell))


def assign_cells(xy: NDArray[np.floating], sizes: Sequence[int]) -> list[CellAssignment]:
    """Assign every point to its cell at each level; a coarser cell is exactly the union of finer ones.

    A cell owns its left and top edge; the last row and column own the far edge too.

    Args:
        xy: [point, 2] in 0..1, x to the right, y downwards.
        sizes: cells per side, ascending; each divides the last.
    """
    finest = sizes[-1]
    row_column = np.stack(np.divmod(flat_cells(xy, finest), finest), axis=1)
    return [_occupied(row_column // (finest // size), size) for size in sizes]


def flat_cells(xy: NDArray[np.floating], size: int) -> NDArray[np.int64]:
    """The cell [point] of each point at a level of ``size`` cells per side, as row · size + column.

    Args:
        xy: [point, 2] in 0..1, x to the right, y downwards.
        size: cells per side.
    """
    column_row = np.minimum((xy.astype(np.float64) * size).astype(np.int64), size - 1)
    return column_row[:, 1] * size + column_row[:, 0]


def _occupied(row_column: NDArray[np.int64], size: int) -> CellAssignment:
    of_point = row_column[:, 0] * size + row_column[:, 1]
    known = np.zeros(size * size, bool)  # faster than sorting the points
    known[of_point] = True
    flat = np.flatnonzero(known)
    index = np.cumsum(known) - 1
    return CellAssignment(size, np.stack([flat // size, flat % size], axis=1).astype(np.int32), index[of_point])


def parents(fine: CellAssignment, coarse: CellAssignment) -> NDArray[np.int64]:
    """[fine cell] index of the coarse cell that contains each fine cell."""
    within = fine.cell.astype(np.int64) // (fine.size // coarse.size)
    known = coarse.cell.astype(np.int64) @ (coarse.size, 1)
    return np.searchsorted(known, within @ (coarse.size, 1))
