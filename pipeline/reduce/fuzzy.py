"""UMAP's fuzzy sets of neighbours (McInnes, Healy and Melville 2018, section 3.1 and algorithms 2 and 3).

Written anew, since umap-learn's own sums depend on the number of threads.
"""

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from pipeline.core.compiled import compiled
from pipeline.parallel.process import in_threads

BLOCK = 8192
ROUNDS = 64
TOLERANCE = 1e-5
NARROWEST = 1e-3  # a width, as a share of the mean distance


def memberships(distances: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """How far each neighbour belongs to its point: exp(-(distance - nearest) / width), in 0..1.

    The width of a point is the one at which its memberships add up to log2(count).

    Args:
        distances: [point, neighbour], nearest first, the point itself not among them.
        count: UMAP's ``n_neighbors``, which counts the point itself.
    """
    mean = float(distances.mean(dtype=np.float64))
    found = np.empty(distances.shape, np.float32)

    def some(start: int) -> None:
        here = slice(start, start + BLOCK)
        _memberships(distances[here], float(np.log2(count)), mean, found[here])

    list(in_threads(some, range(0, len(distances), BLOCK)))
    return found


@compiled
def _memberships(distances: NDArray[np.float32], target: float, mean: float, found: NDArray[np.float32]) -> None:
    for point in range(distances.shape[0]):
        line = distances[point]
        nearest = 0.0  # the first distance that is not zero
        for place in range(line.shape[0]):
            if line[place] > 0.0:
                nearest = float(line[place])
                break
        low, high, width = 0.0, -1.0, 1.0
        for _ in range(ROUNDS):
            total = 0.0
            for place in range(line.shape[0]):
                beyond = line[place] - nearest
                total += np.exp(-beyond / width) if beyond > 0.0 else 1.0
            if abs(total - target) < TOLERANCE:
                break
            if total > target:
                high = width
                width = (low + high) / 2.0
            else:
                low = width
                width = width * 2.0 if high < 0.0 else (low + high) / 2.0
        own = 0.0
        for place in range(line.shape[0]):
            own += line[place]
        width = max(width, NARROWEST * (own / (line.shape[0] + 1) if nearest > 0.0 else mean))
        for place in range(line.shape[0]):
            beyond = line[place] - nearest
            found[point, place] = np.exp(-beyond / width) if beyond > 0.0 else 1.0


def union(indices: NDArray[np.int32], belongs: NDArray[np.float32]) -> scipy.sparse.csr_array:
    """The symmetric graph of who belongs to whom, or the other way round: a + b - a b.

    Args:
        indices: [point, neighbour].
        belongs: the same shape, in 0..1.
    """
    rows = np.repeat(np.arange(len(indices), dtype=np.int32), indices.shape[1])
    shape = (len(indices), len(indices))
    graph = scipy.sparse.csr_array((belongs.ravel(), (rows, indices.ravel())), shape=shape)
    either = graph + graph.T - graph * graph.T
    either.sort_indices()
    either.eliminate_zeros()
    return either
