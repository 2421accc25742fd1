"""The published way to average activations in the cells of a grid, as the reference: a loop over cells.

For each cell of each level, captum's code for activation atlases (``captum.optim``) compares the coordinates of all
points with the cell's edges, takes the rows of those inside and averages them. This is a reimplementation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class LoopTime:
    """Time of the loop.

    Attributes:
        seconds: for all cells of all levels, means of activations alone.
        timed: cells that were timed.
        cells: of all levels.
    """

    seconds: float
    timed: int
    cells: int


def time_loop(xy: Tensor, rows: Tensor, levels: Sequence[int], max_cells: int) -> LoopTime:
    """Time the loop on some cells of each level, chosen at random, and extrapolate to all cells of the level.

    Args:
        xy: [point, 2] in 0..1.
        rows: activations [point, channel], in memory.
        levels: cells a side.
        max_cells: cells that are timed of each level.
    """
    generator = np.random.default_rng(0)
    seconds, timed = 0.0, 0
    for size in levels:
        chosen = generator.permutation(size * size)[:max_cells]
        x, y = (xy.T * size).contiguous()
        began = perf_counter()
        for cell in chosen.tolist():
            mean_of_cell(x, y, rows, *divmod(cell, size))
        seconds += (perf_counter() - began) * size * size / len(chosen)
        timed += len(chosen)
    return LoopTime(seconds, timed, sum(size * size for size in levels))


def mean_of_cell(x: Tensor, y: Tensor, rows: Tensor, row: int, column: int) -> Tensor | None:
    """Mean activation [channel] of the points in one cell; None where the cell is empty.

    Args:
        x: [point] in cells from the left.
        y: [point] in cells from the top.
        rows: activations [point, channel].
        row: of the cell.
        column: of the cell.
    """
    across = torch.logical_and(column <= x, x <= column + 1)
    down = torch.logical_and(row <= y, y <= row + 1)
    inside = torch.where(torch.logical_and(across, down))[0]
    return rows[inside].mean(0) if len(inside) else None
