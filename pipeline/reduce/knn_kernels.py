"""Compiled kernels that keep short lists of nearest neighbors.

Numba's cache on disk is kept per file: functions that are inlined into each other stay in this one, so that a change
of any of them recompiles all that contain it.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.core.numba_jit import inlined_jit, jit

UNROLLED = 32


@inlined_jit
def insert_neighbor(
    distance: np.float32, candidate: int, ids: NDArray[np.int32], distances: NDArray[np.float32]
) -> None:
    """Insert a candidate that is nearer than the last neighbor of a list; of equal ones the earlier stays ahead.

    Args:
        distance: of the candidate.
        candidate: its index.
        ids: [k] indices of the neighbors so far, nearest first; changed in place.
        distances: [k] their distances; changed in place.
    """
    slot = distances.shape[0] - 1
    while slot > 0 and distances[slot - 1] > distance:
        distances[slot] = distances[slot - 1]
        ids[slot] = ids[slot - 1]
        slot -= 1
    distances[slot] = distance
    ids[slot] = candidate


@jit
def update_neighbors(
    block: NDArray[np.float32], first: int, own: int, ids: NDArray[np.int32], distances: NDArray[np.float32]
) -> None:
    """Update the neighbor lists of queries with a block of candidates.

    Args:
        block: [query, candidate] distances.
        first: index of the first candidate.
        own: index of the first query among the candidates, so that no query finds itself; negative if queries are not
            candidates.
        ids: [query, k] indices of the neighbors so far, nearest first; changed in place.
        distances: [query, k] their distances; changed in place.
    """
    k, width = ids.shape[1], block.shape[1]
    for query in range(block.shape[0]):
        line = block[query]
        worst = distances[query, k - 1]
        for start in range(0, width, UNROLLED):
            stop = min(start + UNROLLED, width)
            least = line[start]
            for column in range(start + 1, stop):
                least = min(least, line[column])
            if least >= worst:
                continue
            for column in range(start, stop):
                if line[column] < worst and first + column != own + query:
                    insert_neighbor(line[column], first + column, ids[query], distances[query])
                    worst = distances[query, k - 1]


@inlined_jit
def squared_distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> np.float32:
    """Squared distance of two rows [component], summed without cancellation."""
    total = np.float32(0)
    for component in range(one.shape[0]):
        step = one[component] - other[component]
        total += step * step
    return total


@inlined_jit
def select_nearest(
    query: NDArray[np.float32], points: NDArray[np.float32], candidates: NDArray[np.int32], ids: NDArray[np.int32]
) -> None:
    """Fill ``ids`` [k] with the nearest of at least k candidates.

    Args:
        query: [component].
        points: [n, component].
        candidates: indices of points.
        ids: changed in place.
    """
    distances = np.full(ids.shape[0], np.inf, np.float32)
    for candidate in candidates:
        value = squared_distance(query, points[candidate])
        if value < distances[distances.shape[0] - 1]:
            insert_neighbor(value, candidate, ids, distances)


@jit
def refine_neighbors(
    points: NDArray[np.float32], found: NDArray[np.int32], start: int, refined: NDArray[np.int32]
) -> None:
    """Fill ``refined`` [row, k] with the nearest ones among each point's neighbors and their neighbors.

    Args:
        points: [n, component].
        found: [n, k] indices of approximate neighbors.
        start: the point of the first row.
        refined: changed in place.
    """
    k = found.shape[1]
    seen = np.full(points.shape[0], -1, np.int32)
    candidates = np.empty(k * (k + 1), np.int32)
    for row in range(refined.shape[0]):
        point = start + row
        seen[point] = point
        count = 0
        for step in range(-1, k):
            line = found[point] if step < 0 else found[found[point, step]]
            for slot in range(k):
                if seen[line[slot]] != point:
                    seen[line[slot]] = point
                    candidates[count] = line[slot]
                    count += 1
        select_nearest(points[point], points, candidates[:count], refined[row])


@jit
def squared_distances(
    queries: NDArray[np.float32], points: NDArray[np.float32], ids: NDArray[np.int32]
) -> NDArray[np.float32]:
    """Squared distances [query, k] from each query [query, component] to its neighbors [query, k]."""
    squared = np.empty(ids.shape, np.float32)
    for query in range(ids.shape[0]):
        for slot in range(ids.shape[1]):
            squared[query, slot] = squared_distance(queries[query], points[ids[query, slot]])
    return squared


@jit
def update_neighbors_of_other_images(
    block: NDArray[np.float32],
    first: int,
    image: NDArray[np.int64],
    own_image: NDArray[np.int64],
    ids: NDArray[np.int32],
    distances: NDArray[np.float32],
) -> None:
    """As :func:`update_neighbors`, with only those candidates whose image differs from the query's.

    Args:
        block: [query, candidate] distances.
        first: index of the first candidate.
        image: image of every candidate.
        own_image: [query] image of each query.
        ids: [query, k] changed in place.
        distances: [query, k] changed in place.
    """
    k = ids.shape[1]
    for query in range(block.shape[0]):
        worst = distances[query, k - 1]
        for column in range(block.shape[1]):
            value = block[query, column]
            if value < worst and image[first + column] != own_image[query]:
                insert_neighbor(value, first + column, ids[query], distances[query])
                worst = distances[query, k - 1]


@jit
def pick_distances(block: NDArray[np.float32], first: int, ids: NDArray[np.int32], picked: NDArray[np.float32]) -> None:
    """Copy the distances of given candidates [query, id] out of a block [query, candidate] into ``picked``."""
    for query in range(block.shape[0]):
        for slot in range(ids.shape[1]):
            column = ids[query, slot] - first
            if 0 <= column < block.shape[1]:
                picked[query, slot] = block[query, column]


@jit
def count_nearer(
    block: NDArray[np.float32],
    first: int,
    image: NDArray[np.int64],
    own_image: NDArray[np.int64],
    thresholds: NDArray[np.float32],
    counts: NDArray[np.int64],
) -> None:
    """Count each candidate of another image at the smallest threshold that exceeds its distance.

    Args:
        block: [query, candidate] distances.
        first: index of the first candidate.
        image: image of every candidate.
        own_image: [query] image of each query.
        thresholds: [query, threshold] distances, ascending.
        counts: [query, threshold] changed in place.
    """
    last = thresholds.shape[1] - 1
    for query in range(block.shape[0]):
        line = thresholds[query]
        farthest = line[last]
        for column in range(block.shape[1]):
            value = block[query, column]
            if value < farthest and image[first + column] != own_image[query]:
                low, high = 0, last
                while low < high:
                    middle = (low + high) // 2
                    if line[middle] > value:
                        high = middle
                    else:
                        low = middle + 1
                counts[query, low] += 1
