"""Short lists of the nearest candidates, kept while candidates come.

All that is compiled from these parts stands here: a change of this file is what makes it compile anew.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.core.compiled import compiled, compiled_part

UNROLLED = 32


@compiled_part
def insert(value: np.float32, number: int, best: NDArray[np.int32], far: NDArray[np.float32]) -> None:
    """Put a candidate that is nearer than the last one into a list; of equal ones the earlier stays ahead.

    Args:
        value: its distance.
        number: of the candidate.
        best: [count] numbers so far, nearest first; changed.
        far: [count] their distances; changed.
    """
    place = far.shape[0] - 1
    while place > 0 and far[place - 1] > value:
        far[place] = far[place - 1]
        best[place] = best[place - 1]
        place -= 1
    far[place] = value
    best[place] = number


@compiled
def keep_nearest(
    distances: NDArray[np.float32], first: int, own: int, best: NDArray[np.int32], far: NDArray[np.float32]
) -> None:
    """Put the nearer ones among some candidates into each query's list.

    Args:
        distances: [query, candidate].
        first: number of the first candidate.
        own: number that the first query has among the candidates, which is left out; negative where it is none.
        best: [query, count] their numbers so far, nearest first; changed.
        far: [query, count] their distances; changed.
    """
    count, width = best.shape[1], distances.shape[1]
    for query in range(distances.shape[0]):
        line = distances[query]
        worst = far[query, count - 1]
        for start in range(0, width, UNROLLED):
            stop = min(start + UNROLLED, width)
            least = line[start]
            for column in range(start + 1, stop):
                least = min(least, line[column])
            if least >= worst:
                continue
            for column in range(start, stop):
                if line[column] < worst and first + column != own + query:
                    insert(line[column], first + column, best[query], far[query])
                    worst = far[query, count - 1]


@compiled_part
def squared_distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> np.float32:
    """Between two rows [component], summed without cancellation."""
    total = np.float32(0)
    for component in range(one.shape[0]):
        step = one[component] - other[component]
        total += step * step
    return total


@compiled_part
def nearest_of(
    query: NDArray[np.float32], points: NDArray[np.float32], candidates: NDArray[np.int32], best: NDArray[np.int32]
) -> None:
    """Fill ``best`` [count] with the nearest of the candidates, which are at least as many.

    Args:
        query: [component].
        points: [n, component].
        candidates: numbers of points.
        best: changed.
    """
    far = np.full(best.shape[0], np.inf, np.float32)
    for candidate in candidates:
        value = squared_distance(query, points[candidate])
        if value < far[far.shape[0] - 1]:
            insert(value, candidate, best, far)


@compiled
def mend(points: NDArray[np.float32], found: NDArray[np.int32], start: int, mended: NDArray[np.int32]) -> None:
    """Fill ``mended`` [row, count] with the nearest among what was found for each point and for what was found.

    Args:
        points: [n, component].
        found: [n, count] numbers of near points.
        start: the first row's point.
        mended: changed.
    """
    count = found.shape[1]
    seen = np.full(points.shape[0], -1, np.int32)
    candidates = np.empty(count * (count + 1), np.int32)
    for row in range(mended.shape[0]):
        point = start + row
        seen[point] = point
        many = 0
        for step in range(-1, count):
            line = found[point] if step < 0 else found[found[point, step]]
            for place in range(count):
                if seen[line[place]] != point:
                    seen[line[place]] = point
                    candidates[many] = line[place]
                    many += 1
        nearest_of(points[point], points, candidates[:many], mended[row])


@compiled
def squared_distances(
    queries: NDArray[np.float32], points: NDArray[np.float32], found: NDArray[np.int32]
) -> NDArray[np.float32]:
    """From each query [query, component] to the points found for it [query, count]."""
    squared = np.empty(found.shape, np.float32)
    for query in range(found.shape[0]):
        for place in range(found.shape[1]):
            squared[query, place] = squared_distance(queries[query], points[found[query, place]])
    return squared


@compiled
def keep_of_other_images(
    distances: NDArray[np.float32],
    first: int,
    image: NDArray[np.int64],
    own: NDArray[np.int64],
    best: NDArray[np.int32],
    far: NDArray[np.float32],
) -> None:
    """As :func:`keep_nearest`, of candidates whose image is another than the query's.

    Args:
        distances: [query, candidate].
        first: number of the first candidate.
        image: of every candidate.
        own: [query] image of each query.
        best: [query, count] changed.
        far: [query, count] changed.
    """
    count = best.shape[1]
    for query in range(distances.shape[0]):
        worst = far[query, count - 1]
        for column in range(distances.shape[1]):
            value = distances[query, column]
            if value < worst and image[first + column] != own[query]:
                insert(value, first + column, best[query], far[query])
                worst = far[query, count - 1]
