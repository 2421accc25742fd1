"""Nearest neighbours among points of the search space."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.core.progress import tracked
from pipeline.parallel.process import in_threads
from pipeline.reduce.approximate import approximate, approximate_among
from pipeline.reduce.nearest import keep_nearest, squared_distances

QUERIES = 256  # with POINTS, a table of distances that stays in a core's cache
POINTS = 2048

Found = tuple[NDArray[np.int32], NDArray[np.float32]]


def nearest_others(points: NDArray[np.float32], count: int, seed: int, exact_points: int) -> Found:
    """The ``count`` nearest other points of each point, nearest first.

    Args:
        points: [n, component], distinct rows.
        count: neighbours of each row, less than n.
        seed: of the approximate search.
        exact_points: above this many rows the search is approximate, since exact search needs time n².

    Returns:
        Their indices [n, count] and squared distances [n, count].
    """
    if len(points) > exact_points:
        return _checked(points, points, approximate(points, count, seed))
    return _checked(points, points, _searched(points, points, count, True))


def nearest_among(
    queries: NDArray[np.float32], points: NDArray[np.float32], count: int, seed: int, exact_points: int
) -> Found:
    """The ``count`` nearest points [n, component] of each query [query, component], as :func:`nearest_others`."""
    if len(points) > exact_points:
        return _checked(queries, points, approximate_among(queries, points, count, seed))
    return _checked(queries, points, _searched(queries, points, count, False))


def _searched(
    queries: NDArray[np.float32], points: NDArray[np.float32], count: int, themselves: bool
) -> NDArray[np.int32]:
    """Exact search: a table of distances for a block of queries and of points at a time."""
    # [q, 1] · [-2 p, |p|²] is the squared distance less |q|², which is the same for all points
    table = np.concatenate([-2 * points, (points**2).sum(axis=1, keepdims=True)], axis=1).T.copy()
    starts = range(0, len(queries), QUERIES)
    search = _search_of(queries, table, count, themselves)
    found = tracked(in_threads(search, starts), "nearest neighbours", len(starts), "block")
    return np.concatenate(list(found))


def _search_of(
    queries: NDArray[np.float32], table: NDArray[np.float32], count: int, themselves: bool
) -> Callable[[int], NDArray[np.int32]]:
    def search(start: int) -> NDArray[np.int32]:
        block = queries[start : start + QUERIES]
        asked = np.concatenate([block, np.ones_like(block[:, :1])], axis=1)
        best = np.full((len(block), count), -1, np.int32)
        far = np.full((len(block), count), np.inf, np.float32)
        for first in range(0, table.shape[1], POINTS):
            distances = asked @ table[:, first : first + POINTS]
            keep_nearest(distances, first, start if themselves else -1 - len(queries), best, far)
        return best

    return search


def _checked(queries: NDArray[np.float32], points: NDArray[np.float32], found: NDArray[np.int32]) -> Found:
    """The found neighbours in the order of their distances, summed anew without cancellation."""
    squared = squared_distances(queries, points, found)
    order = np.argsort(squared, axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1), np.take_along_axis(squared, order, axis=1)
