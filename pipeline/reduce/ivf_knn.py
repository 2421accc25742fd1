"""Approximate k nearest neighbors by an inverted file, for more points than all pairs allow.

The points are partitioned by k-means, and a query is compared with the points of the cells nearest to it: an inverted
file (Jégou, Douze and Schmid 2011, section IV). Queries of one cell are searched together, so that the work consists
of matrix products. One refinement step of NN-descent (Dong, Moses and Li 2011) follows: a neighbor of a neighbor is
often a neighbor, which recovers most of the neighbors across cell borders. The result does not depend on the number
of threads.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.progress import tracked
from pipeline.parallel.process import in_threads
from pipeline.reduce.knn_kernels import refine_neighbors, update_neighbors

QUERY_BLOCK = 256  # queries of a cell at a time
POINT_BLOCK = 2048  # points of a cell at a time
PROBES = 8  # cells that a query requests (FAISS: nprobe)
MIN_VOTES = 0.05  # a cell is searched for a block of queries where this share of them requests it
REFINE_BLOCK = 8192

TRAINING_POINTS = 64  # per centroid
ITERATIONS = 6
ASSIGN_BLOCK = 4096


def ivf_knn_graph(points: NDArray[np.float32], k: int, seed: int) -> NDArray[np.int32]:
    """Approximately the k nearest other points of each point [n, component]: indices [n, k], unordered."""
    kmeans = KMeans.fit(points, seed)
    lists = _inverted_lists(points, kmeans)
    return _refine(points, _search(lists, lists, kmeans, k, exclude_self=True))


def ivf_knn_query(queries: NDArray[np.float32], points: NDArray[np.float32], k: int, seed: int) -> NDArray[np.int32]:
    """Approximately the k nearest points [n, component] of each query: indices [query, k], unordered."""
    kmeans = KMeans.fit(points, seed)
    return _search(_inverted_lists(queries, kmeans), _inverted_lists(points, kmeans), kmeans, k, exclude_self=False)


class KMeans:
    """Centroids [cell, component] that partition space: a cell is the region nearest to its centroid."""

    def __init__(self, centroids: NDArray[np.float32]) -> None:
        self.centroids = centroids
        self._squared_norms = (centroids**2).sum(axis=1)

    def __len__(self) -> int:
        return len(self.centroids)

    @classmethod
    def fit(cls, points: NDArray[np.float32], seed: int) -> "KMeans":
        """About sqrt(n) centroids of the points [n, component], by Lloyd's algorithm.

        The training points and the initial centroids among them are drawn at random by ``seed``.
        """
        count = max(round(len(points) ** 0.5), 1)
        generator = np.random.default_rng(seed)
        training = points[np.sort(generator.permutation(len(points))[: TRAINING_POINTS * count])]
        kmeans = cls(training[generator.permutation(len(training))[:count]])
        for _ in range(ITERATIONS):
            kmeans = cls(_cell_means(training, kmeans.assign(training), kmeans.centroids))
        return kmeans

    def shifted_distances(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Squared distances [n, cell] from points [n, component] to the centroids, minus the point's squared norm."""
        found: NDArray[np.float32] = self._squared_norms - 2 * (points @ self.centroids.T)
        return found

    def assign(self, points: NDArray[np.float32]) -> NDArray[np.int32]:
        """The cell [n] of each point."""
        cell = np.empty(len(points), np.int32)

        def assign_block(start: int) -> None:
            span = slice(start, start + ASSIGN_BLOCK)
            cell[span] = self.shifted_distances(points[span]).argmin(axis=1)

        list(in_threads(assign_block, range(0, len(points), ASSIGN_BLOCK)))
        return cell


def _cell_means(
    points: NDArray[np.float32], cell: NDArray[np.int32], centroids: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The mean of each cell's points; an empty cell keeps its centroid."""
    counts = np.bincount(cell, minlength=len(centroids))
    occupied = counts > 0
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])[occupied]
    sums = np.add.reduceat(points[np.argsort(cell, kind="stable")], starts, axis=0, dtype=np.float64)
    means = centroids.copy()
    means[occupied] = sums / counts[occupied, None]
    return means


@dataclass(frozen=True)
class InvertedLists:
    """Points sorted by cell.

    Attributes:
        ids: [point] index of each point before sorting.
        bounds: [cell + 1] where the list of each cell begins and ends.
        vectors: [point, component].
    """

    ids: NDArray[np.int32]
    bounds: NDArray[np.int64]
    vectors: NDArray[np.float32]


def _inverted_lists(points: NDArray[np.float32], kmeans: KMeans) -> InvertedLists:
    cell = kmeans.assign(points)
    order = np.argsort(cell, kind="stable").astype(np.int32)
    bounds = np.searchsorted(cell[order], np.arange(len(kmeans) + 1))
    return InvertedLists(order, bounds, points[order])


def _search(
    queries: InvertedLists, points: InvertedLists, kmeans: KMeans, k: int, *, exclude_self: bool
) -> NDArray[np.int32]:
    squares = (points.vectors**2).sum(axis=1, keepdims=True)
    table = np.concatenate([-2 * points.vectors, squares], axis=1)
    found = np.empty((len(queries.vectors), k), np.int32)
    spans = [
        (start, min(start + QUERY_BLOCK, int(last)))
        for first, last in zip(queries.bounds[:-1], queries.bounds[1:], strict=True)
        for start in range(int(first), int(last), QUERY_BLOCK)
    ]

    def search(span: tuple[int, int]) -> None:
        start, stop = span
        block = queries.vectors[start:stop]
        cells = _ranked_cells(kmeans.shifted_distances(block))
        own = start if exclude_self else -1 - len(queries.vectors)
        extended = np.concatenate([block, np.ones_like(block[:, :1])], axis=1)
        found[queries.ids[start:stop]] = points.ids[_search_cells(extended, table, points, cells, own, k)]

    list(tracked(in_threads(search, spans), "nearest neighbors", len(spans), "block"))
    return found


def _ranked_cells(distances: NDArray[np.float32]) -> tuple[NDArray[np.int64], int]:
    """All cells in the order of the votes of a block of queries, and how many of the first ones to search.

    Args:
        distances: [query, cell] to their centroids.
    """
    probes = min(PROBES, distances.shape[1])
    requested = np.argpartition(distances, probes - 1, axis=1)[:, :probes]
    votes = np.bincount(requested.ravel(), minlength=distances.shape[1])
    order = np.lexsort((distances.sum(axis=0), -votes))
    return order, int((votes >= max(MIN_VOTES * len(distances), 1)).sum())


def _search_cells(
    queries: NDArray[np.float32],
    table: NDArray[np.float32],
    points: InvertedLists,
    cells: tuple[NDArray[np.int64], int],
    own: int,
    k: int,
) -> NDArray[np.int32]:
    """The nearest points of each query in the requested cells, and in further ones until each query has k."""
    order, enough = cells
    ids = np.full((len(queries), k), -1, np.int32)
    distances = np.full((len(queries), k), np.inf, np.float32)
    for turn, cell in enumerate(order):
        if turn >= enough and ids[:, -1].min() >= 0:
            break
        last = int(points.bounds[cell + 1])
        for first in range(int(points.bounds[cell]), last, POINT_BLOCK):
            block_distances = queries @ table[first : min(first + POINT_BLOCK, last)].T
            update_neighbors(block_distances, first, own, ids, distances)
    return ids


def _refine(points: NDArray[np.float32], found: NDArray[np.int32]) -> NDArray[np.int32]:
    """The nearest ones among each point's neighbors and their neighbors."""
    refined = np.empty_like(found)

    def refine_block(start: int) -> None:
        refine_neighbors(points, found, start, refined[start : start + REFINE_BLOCK])

    list(in_threads(refine_block, range(0, len(points), REFINE_BLOCK)))
    return refined
