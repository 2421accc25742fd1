"""The built-in UMAP (McInnes, Healy and Melville 2018): reproducible for any number of threads.

The neighbor graph (section 3.1, algorithms 2 and 3) is reimplemented here, since umap-learn's own sums depend on the
number of threads. The initialization is PCA, which needs no random numbers.
"""

import warnings
from importlib import import_module
from types import ModuleType

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from pipeline.config.reduce import ReduceSettings
from pipeline.core.numba_jit import jit
from pipeline.parallel.process import in_threads
from pipeline.reduce import pca
from pipeline.reduce.knn import knn_graph, metric_distance
from pipeline.reduce.rows import Rows
from pipeline.reduce.umap_optimizer import Curve, optimize_layout

# umap-learn's defaults: small data sets get more epochs
SMALL_DATA, SMALL_DATA_EPOCHS, EPOCHS = 10_000, 500, 200
TRANSFORM_EPOCHS = 30  # as in umap-learn's ``transform``
SPAN = 10.0

BLOCK = 8192
SEARCH_STEPS = 64
TOLERANCE = 1e-5
MIN_SCALE = 1e-3  # of a kernel, relative to the mean distance


def embed(points: NDArray[np.float32], settings: ReduceSettings, seed: int, dimensions: int = 2) -> NDArray[np.float64]:
    """Embed points [n, component] of the kNN space as [n, dimensions].

    Args:
        points: distinct rows, more than ``settings.neighbors``.
        settings: ``neighbors``, ``min_dist``, ``negative_sample_rate``, ``epochs``, ``metric`` and ``exact_points`` are
            used.
        seed: of the approximate search and of the negative samples.
        dimensions: 1 or 2.
    """
    ids, squared = knn_graph(points, settings.neighbors - 1, seed, settings.exact_points)
    strengths = membership_strengths(metric_distance(squared, settings.metric), settings.neighbors)
    initial = _initialization(points, dimensions)
    epochs = epoch_count(len(points), settings)
    xy = optimize_layout(
        initial, fuzzy_union(ids, strengths), fit_curve(settings), epochs, settings.negative_sample_rate, seed
    )
    return xy[:, :dimensions].astype(np.float64)


def refine_placed(
    initial: NDArray[np.float64],
    fixed: NDArray[np.float64],
    ids: NDArray[np.int32],
    strengths: NDArray[np.float32],
    settings: ReduceSettings,
    seed: int,
) -> NDArray[np.float64]:
    """Optimize the positions of points among landmarks that do not move, as umap-learn's ``transform`` does.

    Args:
        initial: [n, dimension].
        fixed: [landmark, dimension].
        ids: [n, k] the nearest landmarks of each point.
        strengths: [n, k] memberships in 0..1.
        settings: ``min_dist`` and ``negative_sample_rate`` are used.
        seed: of the negative samples.

    Returns:
        [n, dimension].
    """
    pointers = np.arange(0, ids.size + 1, ids.shape[1])
    graph = scipy.sparse.csr_array((strengths.ravel(), ids.ravel(), pointers), shape=(len(initial), len(fixed)))
    rate, curve = settings.negative_sample_rate, fit_curve(settings)
    xy = optimize_layout(_in_plane(initial), graph, curve, TRANSFORM_EPOCHS, rate, seed, _in_plane(fixed))
    return xy[:, : fixed.shape[1]].astype(np.float64)


def epoch_count(points: int, settings: ReduceSettings) -> int:
    """``epochs``, or umap-learn's default for this number of points."""
    return settings.epochs or (SMALL_DATA_EPOCHS if points <= SMALL_DATA else EPOCHS)


def fit_curve(settings: ReduceSettings) -> Curve:
    """umap-learn's ``a`` and ``b`` for ``min_dist``."""
    return Curve(*map(float, umap_learn().find_ab_params(1.0, settings.min_dist)))


def umap_learn() -> ModuleType:
    """umap-learn's module ``umap.umap_``, which takes seconds to import."""
    with warnings.catch_warnings():
        # it warns that its optional Keras model is missing
        warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
        return import_module("umap.umap_")


def membership_strengths(distances: NDArray[np.float32], neighbors: int) -> NDArray[np.float32]:
    """Memberships in 0..1 of each point's neighbors: exp(-(distance - nearest) / scale).

    The scale of a point is the one at which its memberships add up to log2(neighbors).

    Args:
        distances: [point, neighbor], nearest first, without the point itself.
        neighbors: umap-learn's ``n_neighbors``, which counts the point itself.
    """
    mean = float(distances.mean(dtype=np.float64))
    strengths = np.empty(distances.shape, np.float32)

    def block(start: int) -> None:
        span = slice(start, start + BLOCK)
        _membership_strengths(distances[span], float(np.log2(neighbors)), mean, strengths[span])

    list(in_threads(block, range(0, len(distances), BLOCK)))
    return strengths


@jit
def _membership_strengths(
    distances: NDArray[np.float32], target: float, mean: float, strengths: NDArray[np.float32]
) -> None:
    for point in range(distances.shape[0]):
        line = distances[point]
        nearest = 0.0  # the first distance that is not zero
        for slot in range(line.shape[0]):
            if line[slot] > 0.0:
                nearest = float(line[slot])
                break
        low, high, scale = 0.0, -1.0, 1.0
        for _ in range(SEARCH_STEPS):
            total = 0.0
            for slot in range(line.shape[0]):
                beyond = line[slot] - nearest
                total += np.exp(-beyond / scale) if beyond > 0.0 else 1.0
            if abs(total - target) < TOLERANCE:
                break
            if total > target:
                high = scale
                scale = (low + high) / 2.0
            else:
                low = scale
                scale = scale * 2.0 if high < 0.0 else (low + high) / 2.0
        own = 0.0
        for slot in range(line.shape[0]):
            own += line[slot]
        scale = max(scale, MIN_SCALE * (own / (line.shape[0] + 1) if nearest > 0.0 else mean))
        for slot in range(line.shape[0]):
            beyond = line[slot] - nearest
            strengths[point, slot] = np.exp(-beyond / scale) if beyond > 0.0 else 1.0


def fuzzy_union(ids: NDArray[np.int32], strengths: NDArray[np.float32]) -> scipy.sparse.csr_array:
    """The symmetric graph of memberships in either direction: a + b - a b.

    Args:
        ids: [point, neighbor].
        strengths: the same shape, in 0..1.
    """
    rows = np.repeat(np.arange(len(ids), dtype=np.int32), ids.shape[1])
    shape = (len(ids), len(ids))
    graph = scipy.sparse.csr_array((strengths.ravel(), (rows, ids.ravel())), shape=shape)
    union = graph + graph.T - graph * graph.T
    union.sort_indices()
    union.eliminate_zeros()
    return union


def _initialization(points: NDArray[np.float32], dimensions: int) -> NDArray[np.float64]:
    """Principal components scaled to 0..10 along each axis, as in umap-learn; with one dimension y is 0."""
    plane = pca.embed(Rows(points))
    low, span = plane.min(axis=0), np.maximum(np.ptp(plane, axis=0), 1e-30)
    scaled: NDArray[np.float64] = SPAN * (plane - low) / span
    scaled[:, dimensions:] = 0
    return scaled


def _in_plane(points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Points [n, dimension] as [n, 2]; with one dimension y is 0."""
    plane = np.zeros((len(points), 2), np.float32)
    plane[:, : points.shape[1]] = points
    return plane
