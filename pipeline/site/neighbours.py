"""mean activations [cell, channel] => the cells that the network sees most alike."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.threads import single_threaded_blas

NEIGHBOURS = 6  # cells listed for each
AT_ONCE = 2**23  # cosines in memory at a time: 32 MiB
DECIMALS = 5  # further digits depend on the order of a sum, which should seldom decide between two cells


@dataclass(frozen=True)
class Neighbours:
    """The most similar drawn cells of every cell of a level.

    Attributes:
        cell: [cell, rank] indices of cells, the most similar first, -1 where there are fewer.
        cosine: [cell, rank] centred cosine of the mean activations, -1..1; NaN where there is none.
    """

    cell: NDArray[np.int64]
    cosine: NDArray[np.float32]


def neighbours(
    activation: NDArray[np.float32],
    drawn: NDArray[np.bool_],
    mean: NDArray[np.float32],
    count: int = NEIGHBOURS,
    at_once: int = AT_ONCE,
) -> Neighbours:
    """The most similar drawn cells of every drawn cell, by the centred cosine of their mean activations.

    Of equal ones, those that come first in the level are listed. A cell whose mean activation is that of the whole
    layer points nowhere: its cosine with every other cell is 0.

    Args:
        activation: [cell, channel] mean activations.
        drawn: [cell] the cell has an icon; others neither have neighbours nor are any.
        mean: [channel] mean activation of the layer.
        count: cells listed for each.
        at_once: cosines that are in memory at a time.
    """
    known = np.flatnonzero(drawn)
    unit = _directions(activation[known], mean)
    found = Neighbours(np.full((len(drawn), count), -1), np.full((len(drawn), count), np.nan, np.float32))
    step = max(1, at_once // max(1, len(known)))
    for start in range(0, len(known), step):
        rows = np.arange(start, min(start + step, len(known)))
        with single_threaded_blas():
            cosine = np.round(unit[rows] @ unit.T, DECIMALS)
        cosine[np.arange(len(rows)), rows] = -np.inf  # no cell is its own neighbour
        row, column, rank = _largest(cosine, min(count, len(known) - 1))
        found.cell[known[rows[row]], rank] = known[column]
        found.cosine[known[rows[row]], rank] = cosine[row, column]
    return found


def _directions(activation: NDArray[np.float32], mean: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vectors from the mean to each activation [cell, channel]; zero for one that is the mean."""
    centred = activation - mean
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    length[length == 0] = 1
    unit: NDArray[np.float32] = (centred / length).astype(np.float32, copy=False)
    return unit


def _largest(values: NDArray[np.float32], count: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Row, column and rank of the ``count`` largest values of each row [row, column]; equal ones by their column."""
    if count < 1:
        return (np.empty(0, np.intp),) * 3
    last = values.shape[1] - count
    least = np.partition(values, last, axis=1)[:, last, None]
    row, column = np.nonzero(values >= least)  # more than `count` in a row where equal ones share the last place
    order = np.lexsort((column, -values[row, column], row))
    row, column = row[order], column[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    within = rank < count
    return row[within], column[within], rank[within]
