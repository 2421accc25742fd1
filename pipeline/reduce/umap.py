"""The built-in UMAP (McInnes, Healy and Melville 2018): reproducible for any number of threads.

The neighbor graph (section 3.1, algorithms 2 and 3) is reimplemented here, since umap-learn's own sums depend on the
number of threads. The initialization is PCA, which needs no random numbers.

The optimization of the layout (section 3.2 and algorithm 5) does not depend on the number of threads either.
umap-learn's parallel threads race, and its single thread is slow. Here one thread makes the same updates in the same
order, but the negative samples of an edge act at once, so that their forces are computed as vectors. Many points are
divided into a few parts that are updated in parallel: a part uses the current positions of its own points and, for all
others, the positions at the start of the epoch; an edge between two parts moves each end in that end's part. If every
point used the positions at the start of the epoch, the layout would converge with more tears. Negative samples depend
only on the seed, the epoch and the edge.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from pipeline.config.reduce import ReduceSettings
from pipeline.core.numba_jit import inlined_jit, jit
from pipeline.core.progress import progress
from pipeline.parallel.process import in_threads
from pipeline.reduce import pca
from pipeline.reduce.knn import knn_graph, metric_distance
from pipeline.reduce.rows import Rows

# umap-learn's defaults: small data sets get more epochs
SMALL_DATA, SMALL_DATA_EPOCHS, EPOCHS = 10_000, 500, 200
TRANSFORM_EPOCHS = 30  # as in umap-learn's ``transform``
SPAN = 10.0
FITTED_DISTANCES, LARGEST_FITTED_DISTANCE = 300, 3.0  # of the curve

BLOCK = 8192
SEARCH_STEPS = 64
TOLERANCE = 1e-5
MIN_SCALE = 1e-3  # of a kernel, relative to the mean distance

CLIP = np.float32(4)  # the longest step along each axis
EPSILON = np.float32(0.001)  # keeps the repulsion finite
FAR = np.float32(1e9)
PART_SIZE, MAX_PARTS = 8192, 8  # fewest points of a part
GOLDEN = np.uint64(0x9E3779B97F4A7C15)

Edges = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]


@dataclass(frozen=True)
class Curve:
    """Membership 1 / (1 + a d^2b) of two points at distance d in the layout: umap-learn's ``a`` and ``b``."""

    a: float
    b: float


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
    """The curve of memberships over distances in the layout that is nearest to the wanted one.

    Wanted is 1 up to ``min_dist``, and exp(``min_dist`` - distance) beyond (McInnes, Healy and Melville 2018, section
    3.2). Numbers are umap-learn's, which takes seconds to import.
    """
    distance = np.linspace(0, LARGEST_FITTED_DISTANCE, FITTED_DISTANCES)
    wanted = np.exp(-np.maximum(distance - settings.min_dist, 0))
    (a, b), _ = curve_fit(lambda distance, a, b: 1 / (1 + a * distance ** (2 * b)), distance, wanted)
    return Curve(float(a), float(b))


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


def optimize_layout(
    initial: NDArray[np.floating],
    graph: scipy.sparse.csr_array,
    curve: Curve,
    epochs: int,
    negative_sample_rate: int,
    seed: int,
    fixed: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Attract the ends of edges and repel points from negative samples.

    Args:
        initial: [point, 2].
        graph: [point, other] memberships in 0..1; symmetric unless ``fixed`` is given.
        curve: membership by distance in the layout.
        epochs: number of passes; in each, an edge is sampled in proportion to its membership. The learning rate falls
            linearly to 0.
        negative_sample_rate: negative samples for each sampled edge.
        seed: of the negative samples.
        fixed: [other, 2] points that do not move, if the edges lead to them.

    Returns:
        [point, 2].
    """
    xy = np.array(initial, dtype=np.float32)
    frequency = (graph.data / graph.data.max()).astype(np.float64)
    edges = (graph.indptr.astype(np.int64), graph.indices.astype(np.int32), frequency)
    curve_ab = np.array([curve.a, curve.b], np.float32)
    parts = _parts(len(xy))
    with progress("umap", epochs, "epoch") as bar:
        for epoch in range(epochs):
            rate = np.float32(1 - epoch / epochs)
            arguments = (epoch, rate, curve_ab, negative_sample_rate, np.uint64(seed))
            if fixed is not None or len(parts) == 1:
                update = partial(_epoch, xy, xy if fixed is None else fixed, edges, *arguments, fixed is None)
            else:
                update = partial(_update_part, xy, xy.copy(), edges, *arguments)
            list(in_threads(update, parts))
            bar.update()
    return xy


def _parts(count: int) -> list[tuple[int, int]]:
    """Bounds of the parts; their number, a power of two, depends on the number of points alone."""
    parts = min(1 << max((count // PART_SIZE).bit_length() - 1, 0), MAX_PARTS)
    return [(part * count // parts, (part + 1) * count // parts) for part in range(parts)]


def _update_part(
    xy: NDArray[np.float32],
    before: NDArray[np.float32],
    edges: Edges,
    epoch: int,
    rate: np.float32,
    curve: NDArray[np.float32],
    negative_sample_rate: int,
    seed: np.uint64,
    part: tuple[int, int],
) -> None:
    """Update a part in a copy of all positions, and copy its own points back."""
    own = before.copy()
    _epoch(own, own, edges, epoch, rate, curve, negative_sample_rate, seed, True, part)
    xy[slice(*part)] = own[slice(*part)]


@inlined_jit
def _mix(value: np.uint64) -> np.uint64:
    """The finalizer of SplitMix64 (Steele, Lea and Flood 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@inlined_jit
def power(base: np.float32, exponent: np.float32) -> np.float32:
    """A positive number to a power, within 0.03 percent: logarithm and exponential to base 2 by short polynomials.

    Unlike the library's function it vectorizes.
    """
    bits = np.float32(base).view(np.int32)
    whole = np.float32(np.int32(np.int32(bits >> np.int32(23)) - np.int32(127)))
    t = np.int32((bits & np.int32(0x7FFFFF)) | np.int32(0x3F800000)).view(np.float32) - np.float32(1)
    log = np.float32(0.4154309) + t * (np.float32(-0.1937961) + t * np.float32(0.0469854))
    log = whole + t * (np.float32(1.4418799) + t * (np.float32(-0.7104959) + t * log))
    shifted = min(max(log * exponent + np.float32(127), np.float32(1)), np.float32(253))
    octave = np.int32(shifted)
    r = shifted - np.float32(octave)
    rest = np.float32(0.05582632) + r * (np.float32(0.00898934) + r * np.float32(0.00187757))
    rest = np.float32(1) + r * (np.float32(0.69315308) + r * (np.float32(0.24015361) + r * rest))
    return np.int32(octave * np.int32(0x800000)).view(np.float32) * rest


@inlined_jit
def _clip(value: np.float32) -> np.float32:
    return min(max(value, -CLIP), CLIP)


@inlined_jit
def _random_indices(state: np.uint64, count: int, indices: NDArray[np.int32]) -> None:
    """Fill ``indices`` with random numbers below ``count``: the 32-bit finalizer of MurmurHash3 (Appleby 2011).

    Unlike 64-bit mixing it vectorizes.
    """
    first = np.uint32(state)
    for draw in range(indices.shape[0]):
        value = np.uint32(first + np.uint32(draw) * np.uint32(0x9E3779B9))
        value = np.uint32((value ^ (value >> np.uint32(16))) * np.uint32(0x85EBCA6B))
        value = np.uint32((value ^ (value >> np.uint32(13))) * np.uint32(0xC2B2AE35))
        value = np.uint32(value ^ (value >> np.uint32(16)))
        indices[draw] = np.int32((np.uint64(value) * np.uint64(count)) >> np.uint64(32))


@inlined_jit
def _gather(
    indices: NDArray[np.int32], others: NDArray[np.float32], own: int, x: NDArray[np.float32], y: NDArray[np.float32]
) -> None:
    """Fill ``x`` and ``y`` with the positions of negative samples; a point that samples itself gets a far position."""
    for draw in range(x.shape[0]):
        if indices[draw] == own:
            x[draw], y[draw] = FAR, FAR
        else:
            x[draw], y[draw] = others[indices[draw], 0], others[indices[draw], 1]


@jit
def _epoch(
    xy: NDArray[np.float32],
    others: NDArray[np.float32],
    edges: Edges,
    epoch: int,
    rate: np.float32,
    curve: NDArray[np.float32],
    negative_sample_rate: int,
    seed: np.uint64,
    both: bool,
    part: tuple[int, int],
) -> None:
    """Sample the edges of a part once; ``both`` ends of an edge move, or only its first.

    An edge that leads out of the part moves its end in the part by as much as its two directions do together.
    """
    pointers, targets, frequency = edges
    a, b = curve[0], curve[1]
    first, last = part
    alone = np.float32(2) if both else np.float32(1)
    one, attraction, repulsion = np.float32(1), np.float32(-2) * a * b, np.float32(2) * b
    state = _mix(seed + np.uint64(epoch) * GOLDEN)
    sampled = np.empty(negative_sample_rate, np.int32)
    far = np.empty((3, negative_sample_rate), np.float32)  # x, y and a power of the distance of negative samples
    for point in range(first, last):
        x, y = xy[point, 0], xy[point, 1]
        for edge in range(pointers[point], pointers[point + 1]):
            if int((epoch + 1) * frequency[edge]) == int(epoch * frequency[edge]):
                continue
            other = targets[edge]
            dx, dy = x - others[other, 0], y - others[other, 1]
            squared = dx * dx + dy * dy
            if squared > 0:
                close = power(squared, b)
                force = attraction * close / (squared * (a * close + one))
                step_x, step_y = rate * _clip(force * dx), rate * _clip(force * dy)
                if both and first <= other < last:
                    x += step_x
                    y += step_y
                    others[other, 0] -= step_x
                    others[other, 1] -= step_y
                else:
                    x += alone * step_x
                    y += alone * step_y
            _random_indices(_mix(state + np.uint64(edge)), others.shape[0], sampled)
            _gather(sampled, others, point if both else -1, far[0], far[1])
            for draw in range(negative_sample_rate):
                dx, dy = x - far[0, draw], y - far[1, draw]
                far[2, draw] = power(dx * dx + dy * dy, b)
            push_x, push_y = np.float32(0), np.float32(0)
            for draw in range(negative_sample_rate):
                dx, dy = x - far[0, draw], y - far[1, draw]
                force = repulsion / ((EPSILON + dx * dx + dy * dy) * (a * far[2, draw] + one))
                push_x += _clip(force * dx)
                push_y += _clip(force * dy)
            x += rate * push_x
            y += rate * push_y
        xy[point, 0], xy[point, 1] = x, y
