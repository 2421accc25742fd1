"""Approximate nearest neighbours, for more points than all pairs allow, the same for any number of threads.

The points are cut into cells around centres (k-means), and a query is compared with the points of the cells nearest to
it: an inverted file (Jégou, Douze and Schmid 2011, section IV). Queries of one cell are asked together, so that the
work is products of matrices. What NN-descent (Dong, Moses and Li 2011) lives by, that a neighbour of a neighbour is
often a neighbour, then mends most of what cells cut apart.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.progress import tracked
from pipeline.parallel.process import in_threads
from pipeline.reduce.centres import Centres
from pipeline.reduce.nearest import keep_nearest, mend

TOGETHER = 256  # queries of a cell at a time
POINTS = 2048  # of a cell at a time, however many lie in it
PROBES = 8  # cells that a query asks for
WANTED = 0.05  # a cell is searched for all queries of a block where this share of them asks for it
BLOCK = 8192


@dataclass(frozen=True)
class _Sorted:
    """Points in the order of their cells.

    Attributes:
        number: [point] which point it is.
        bounds: [cell + 1] where the cells begin and end.
        rows: [point, component].
    """

    number: NDArray[np.int32]
    bounds: NDArray[np.int64]
    rows: NDArray[np.float32]


def approximate(points: NDArray[np.float32], count: int, seed: int) -> NDArray[np.int32]:
    """About the ``count`` nearest other rows of each of the points [n, component]: indices [n, count], in no order."""
    centres = Centres.of(points, seed)
    ordered = _in_cells(points, centres)
    return _mended(points, _searched(ordered, ordered, centres, count, True))


def approximate_among(
    queries: NDArray[np.float32], points: NDArray[np.float32], count: int, seed: int
) -> NDArray[np.int32]:
    """About the ``count`` nearest points [n, component] of each query: indices [query, count], in no order."""
    centres = Centres.of(points, seed)
    return _searched(_in_cells(queries, centres), _in_cells(points, centres), centres, count, False)


def _in_cells(points: NDArray[np.float32], centres: Centres) -> _Sorted:
    own = centres.nearest(points)
    order = np.argsort(own, kind="stable").astype(np.int32)
    bounds = np.searchsorted(own[order], np.arange(len(centres) + 1))
    return _Sorted(order, bounds, points[order])


def _searched(asked: _Sorted, points: _Sorted, centres: Centres, count: int, themselves: bool) -> NDArray[np.int32]:
    squares = (points.rows**2).sum(axis=1, keepdims=True)
    table = np.concatenate([-2 * points.rows, squares], axis=1)
    found = np.empty((len(asked.rows), count), np.int32)
    starts = [
        (start, min(start + TOGETHER, int(last)))
        for first, last in zip(asked.bounds[:-1], asked.bounds[1:], strict=True)
        for start in range(int(first), int(last), TOGETHER)
    ]

    def search(span: tuple[int, int]) -> None:
        start, stop = span
        block = asked.rows[start:stop]
        order = _cells_for(centres.squared(block))
        own = start if themselves else -1 - len(asked.rows)
        best = _nearest_in(
            np.concatenate([block, np.ones_like(block[:, :1])], axis=1), table, points, order, own, count
        )
        found[asked.number[start:stop]] = points.number[best]

    list(tracked(in_threads(search, starts), "nearest neighbours", len(starts), "block"))
    return found


def _cells_for(squared: NDArray[np.float32]) -> tuple[NDArray[np.int64], int]:
    """All cells in the order in which a block of queries wants them, and how many of them suffice.

    Args:
        squared: [query, cell] distances to their centres.
    """
    probes = min(PROBES, squared.shape[1])
    wanted = np.argpartition(squared, probes - 1, axis=1)[:, :probes]
    votes = np.bincount(wanted.ravel(), minlength=squared.shape[1])
    order = np.lexsort((squared.sum(axis=0), -votes))
    return order, int((votes >= max(WANTED * len(squared), 1)).sum())


def _nearest_in(
    asked: NDArray[np.float32],
    table: NDArray[np.float32],
    points: _Sorted,
    cells: tuple[NDArray[np.int64], int],
    own: int,
    count: int,
) -> NDArray[np.int32]:
    """The nearest points for each query in the wanted cells, and in further ones until there are enough."""
    order, enough = cells
    best = np.full((len(asked), count), -1, np.int32)
    far = np.full((len(asked), count), np.inf, np.float32)
    for turn, cell in enumerate(order):
        if turn >= enough and best[:, -1].min() >= 0:
            break
        last = int(points.bounds[cell + 1])
        for first in range(int(points.bounds[cell]), last, POINTS):
            keep_nearest(asked @ table[first : min(first + POINTS, last)].T, first, own, best, far)
    return best


def _mended(points: NDArray[np.float32], found: NDArray[np.int32]) -> NDArray[np.int32]:
    """The nearest ones among what was found for each point and what was found for those."""
    mended = np.empty_like(found)

    def some(start: int) -> None:
        mend(points, found, start, mended[start : start + BLOCK])

    list(in_threads(some, range(0, len(points), BLOCK)))
    return mended
