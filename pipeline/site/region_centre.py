"""The cells of a region => where its name stands: at its middle if that lies well inside, else where it is deepest."""

import numpy as np
from numpy.typing import NDArray

WELL_INSIDE = 0.7  # of the greatest depth


def visual_centre(cell: NDArray[np.int64]) -> NDArray[np.float64]:
    """The (row, column) at which a name is written, in cells; a cell's own middle is half a cell beyond its place.

    Args:
        cell: [cell, 2] (row, column) of the region's cells, each once.
    """
    first = cell.min(axis=0)
    inside = np.zeros(cell.max(axis=0) - first + 3, bool)  # with a margin outside
    inside[tuple((cell - first + 1).T)] = True
    depth = _depth(inside)
    middle: NDArray[np.float64] = cell.mean(axis=0)
    near = np.rint(middle - first).astype(np.int64) + 1
    if depth[tuple(near)] >= WELL_INSIDE * depth.max():
        middle += 0.5
        return middle
    deepest = np.argwhere(depth == depth.max()) + first - 1
    away = ((deepest - middle) ** 2).sum(axis=1)
    nearest: NDArray[np.float64] = deepest[away.argmin()] + 0.5
    return nearest


def _depth(inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many steps along sides lead out of the region, 0 outside of it."""
    depth = np.zeros(inside.shape, np.int64)
    left = inside
    while left.any():
        depth += left
        core = left.copy()
        core[1:] &= left[:-1]
        core[:-1] &= left[1:]
        core[:, 1:] &= left[:, :-1]
        core[:, :-1] &= left[:, 1:]
        left = core
    return depth
