"""k nearest neighbors of activations: the space of the search, and the exact search.

Above ``reduce.exact_points`` points the search is approximate, see :mod:`pipeline.reduce.ivf_knn`.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.config.reduce import Metric
from pipeline.core.moments import statistics
from pipeline.core.progress import tracked
from pipeline.parallel.process import in_threads
from pipeline.reduce.ivf_knn import ivf_knn_graph, ivf_knn_query
from pipeline.reduce.knn_kernels import squared_distances, update_neighbors
from pipeline.reduce.pca import principal_axes
from pipeline.reduce.rows import Rows

QUERY_BLOCK = 256  # with POINT_BLOCK, a table of distances that fits a core's cache
POINT_BLOCK = 2048

Neighbors = tuple[NDArray[np.int32], NDArray[np.float32]]


def normalize_rows(activations: NDArray[np.float32], metric: Metric) -> NDArray[np.float32]:
    """Rows whose squared Euclidean distances have the order of the metric: unit length for cosine.

    Args:
        activations: [n, channel]; for cosine no row may be all zero.
        metric: distance between activations.
    """
    if metric == "euclidean":
        return activations
    # dividing by the largest value first keeps the squares of very small and very large rows finite
    scaled = activations / np.abs(activations).max(axis=1, keepdims=True)
    unit: NDArray[np.float32] = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    return unit


def knn_space(rows: Rows, metric: Metric, components: int | None) -> NDArray[np.float32]:
    """Points [n, component], centered, whose squared Euclidean distances approximate those of the metric.

    Cosine comes first, then the projection: of rows of length 1 the squared distance is 2 (1 - cosine), and that is
    what the largest principal components keep best. Projecting first would change every angle, since the components
    are taken about the mean; making the projections length 1 again would blow up what lies near it.

    Args:
        rows: activations; for cosine no row may be all zero.
        metric: distance between activations.
        components: number of principal components to keep; None, or no fewer than the channels, keeps the whole space.
    """
    moments = statistics(normalize_rows(block, metric) for _, block in rows.blocks())
    kept = rows.channels if components is None else min(components, rows.channels)
    axes = principal_axes(moments.covariance, kept).astype(np.float32) if kept < rows.channels else None
    mean = moments.mean.astype(np.float32)
    points = np.empty((len(rows), kept), np.float32)
    for start, block in rows.blocks():
        centered = normalize_rows(block, metric) - mean
        points[start : start + len(block)] = centered if axes is None else centered @ axes
    return points


def metric_distance(squared: NDArray[np.float32], metric: Metric) -> NDArray[np.float32]:
    """The metric's distances, 1 - cosine or Euclidean, from squared distances in the space of :func:`knn_space`."""
    if metric == "cosine":
        return squared / np.float32(2)
    return np.sqrt(squared)


def knn_graph(points: NDArray[np.float32], k: int, seed: int, exact_points: int) -> Neighbors:
    """The k nearest other points of each point, nearest first.

    Args:
        points: [n, component], distinct rows.
        k: number of neighbors, less than n.
        seed: of the approximate search.
        exact_points: above this many points the search is approximate, since exact search takes time n².

    Returns:
        Indices [n, k] and squared distances [n, k].
    """
    if len(points) > exact_points:
        return _sorted_by_distance(points, points, ivf_knn_graph(points, k, seed))
    return _sorted_by_distance(points, points, _exact_knn(points, points, k, exclude_self=True))


def knn_query(
    queries: NDArray[np.float32], points: NDArray[np.float32], k: int, seed: int, exact_points: int
) -> Neighbors:
    """The k nearest points [n, component] of each query [query, component], as in :func:`knn_graph`."""
    if len(points) > exact_points:
        return _sorted_by_distance(queries, points, ivf_knn_query(queries, points, k, seed))
    return _sorted_by_distance(queries, points, _exact_knn(queries, points, k, exclude_self=False))


def _exact_knn(
    queries: NDArray[np.float32], points: NDArray[np.float32], k: int, *, exclude_self: bool
) -> NDArray[np.int32]:
    """Brute-force search: distances between a block of queries and a block of points at a time."""
    # [q, 1] · [-2 p, |p|²] is the squared distance minus |q|², which is the same for all points
    table = np.concatenate([-2 * points, (points**2).sum(axis=1, keepdims=True)], axis=1).T.copy()
    starts = range(0, len(queries), QUERY_BLOCK)
    search = _block_search(queries, table, k, exclude_self)
    found = tracked(in_threads(search, starts), "nearest neighbors", len(starts), "block")
    return np.concatenate(list(found))


def _block_search(
    queries: NDArray[np.float32], table: NDArray[np.float32], k: int, exclude_self: bool
) -> Callable[[int], NDArray[np.int32]]:
    def search(start: int) -> NDArray[np.int32]:
        block = queries[start : start + QUERY_BLOCK]
        extended = np.concatenate([block, np.ones_like(block[:, :1])], axis=1)
        ids = np.full((len(block), k), -1, np.int32)
        distances = np.full((len(block), k), np.inf, np.float32)
        for first in range(0, table.shape[1], POINT_BLOCK):
            block_distances = extended @ table[:, first : first + POINT_BLOCK]
            update_neighbors(block_distances, first, start if exclude_self else -1 - len(queries), ids, distances)
        return ids

    return search


def _sorted_by_distance(queries: NDArray[np.float32], points: NDArray[np.float32], ids: NDArray[np.int32]) -> Neighbors:
    """Neighbors in the order of their distances, which are summed again without cancellation."""
    squared = squared_distances(queries, points, ids)
    order = np.argsort(squared, axis=1, kind="stable")
    return np.take_along_axis(ids, order, axis=1), np.take_along_axis(squared, order, axis=1)
