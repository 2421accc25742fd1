"""UMAP's descent (McInnes, Healy and Melville 2018, section 3.2 and algorithm 5), the same for any number of threads.

umap-learn's threads race, and its one thread is slow. Here a thread makes the same moves in the same order, but what
is drawn at random for a pull pushes at once: those forces are worked out many at a time. Many points are cut into a
few parts that move side by side: a part sees its own points where they are and the others where they were when the
epoch began, and an edge between two parts moves each end in that end's part. Were every point to see all others where
they were, the layout would settle with more tears. What is drawn depends on the seed, the epoch and the edge alone.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from pipeline.core.compiled import compiled, compiled_part
from pipeline.core.progress import progress
from pipeline.parallel.process import in_threads

CLIP = np.float32(4)  # the longest step along each axis
NEAR = np.float32(0.001)  # keeps pushes finite
ENDLESS = np.float32(1e9)
PART, MOST_PARTS = 8192, 8  # fewest points of a part
GOLDEN = np.uint64(0x9E3779B97F4A7C15)

Edges = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]


@dataclass(frozen=True)
class Curve:
    """Closeness 1 / (1 + a d^2b) at a distance d of the layout."""

    a: float
    b: float


def descend(
    start: NDArray[np.floating],
    graph: scipy.sparse.csr_array,
    curve: Curve,
    epochs: int,
    negatives: int,
    seed: int,
    among: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Pull points towards their neighbours and push them from points drawn at random.

    Args:
        start: [point, 2].
        graph: [point, other] membership in 0..1; symmetric unless ``among`` is given.
        curve: of closeness.
        epochs: passes; in each, an edge pulls as often as its membership says. Steps shrink to nothing over them.
        negatives: points drawn at random for each pull.
        seed: of what is drawn.
        among: [other, 2] points that stay where they are, if it is to them that the graph leads.

    Returns:
        [point, 2].
    """
    xy = np.array(start, dtype=np.float32)
    often = (graph.data / graph.data.max()).astype(np.float64)
    edges = (graph.indptr.astype(np.int64), graph.indices.astype(np.int32), often)
    closeness = np.array([curve.a, curve.b], np.float32)
    parts = _parts(len(xy))
    with progress("umap", epochs, "epoch") as bar:
        for epoch in range(epochs):
            rate = np.float32(1 - epoch / epochs)
            forces = (epoch, rate, closeness, negatives, np.uint64(seed))
            if among is not None or len(parts) == 1:
                move = partial(_epoch, xy, xy if among is None else among, edges, *forces, among is None)
            else:
                move = partial(_apart, xy, xy.copy(), edges, *forces)
            list(in_threads(move, parts))
            bar.update()
    return xy


def _parts(count: int) -> list[tuple[int, int]]:
    """First and last point of each part; how many parts, a power of two, follows from the number of points alone."""
    parts = min(1 << max((count // PART).bit_length() - 1, 0), MOST_PARTS)
    return [(part * count // parts, (part + 1) * count // parts) for part in range(parts)]


def _apart(
    xy: NDArray[np.float32],
    before: NDArray[np.float32],
    edges: Edges,
    epoch: int,
    rate: np.float32,
    curve: NDArray[np.float32],
    negatives: int,
    seed: np.uint64,
    part: tuple[int, int],
) -> None:
    """Move a part in a plane of its own, and take over where its points come to lie."""
    own = before.copy()
    _epoch(own, own, edges, epoch, rate, curve, negatives, seed, True, part)
    xy[slice(*part)] = own[slice(*part)]


@compiled_part
def _mixed(value: np.uint64) -> np.uint64:
    """SplitMix64's mixing (Steele, Lea and Flood 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@compiled_part
def power(base: np.float32, exponent: np.float32) -> np.float32:
    """A positive number to a power, within 0.03 percent: logarithm and exponential to base 2 by short polynomials.

    Unlike the library's it is worked out for many numbers at once.
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


@compiled_part
def _clipped(value: np.float32) -> np.float32:
    return min(max(value, -CLIP), CLIP)


@compiled_part
def _numbers(chance: np.uint64, count: int, drawn: NDArray[np.int32]) -> None:
    """Fill ``drawn`` with numbers below ``count`` at random: the 32-bit mixing of MurmurHash3 (Appleby 2011).

    Unlike 64-bit mixing it is worked out for many numbers at once.
    """
    first = np.uint32(chance)
    for draw in range(drawn.shape[0]):
        value = np.uint32(first + np.uint32(draw) * np.uint32(0x9E3779B9))
        value = np.uint32((value ^ (value >> np.uint32(16))) * np.uint32(0x85EBCA6B))
        value = np.uint32((value ^ (value >> np.uint32(13))) * np.uint32(0xC2B2AE35))
        value = np.uint32(value ^ (value >> np.uint32(16)))
        drawn[draw] = np.int32((np.uint64(value) * np.uint64(count)) >> np.uint64(32))


@compiled_part
def _draw(
    drawn: NDArray[np.int32], others: NDArray[np.float32], own: int, x: NDArray[np.float32], y: NDArray[np.float32]
) -> None:
    """Fill ``x`` and ``y`` with the places of drawn points; a point that draws itself lies endlessly far."""
    for draw in range(x.shape[0]):
        if drawn[draw] == own:
            x[draw], y[draw] = ENDLESS, ENDLESS
        else:
            x[draw], y[draw] = others[drawn[draw], 0], others[drawn[draw], 1]


@compiled
def _epoch(
    xy: NDArray[np.float32],
    others: NDArray[np.float32],
    edges: Edges,
    epoch: int,
    rate: np.float32,
    curve: NDArray[np.float32],
    negatives: int,
    seed: np.uint64,
    both: bool,
    part: tuple[int, int],
) -> None:
    """Go once along all edges of a part whose turn it is; ``both`` ends of an edge move, or only the point's.

    An edge that leads out of the part moves the end in it by as much as its two directions do together.
    """
    pointers, targets, often = edges
    a, b = curve[0], curve[1]
    first, last = part
    alone = np.float32(2) if both else np.float32(1)
    one, pulling, pushing = np.float32(1), np.float32(-2) * a * b, np.float32(2) * b
    chance = _mixed(seed + np.uint64(epoch) * GOLDEN)
    drawn = np.empty(negatives, np.int32)
    far = np.empty((3, negatives), np.float32)  # x, y, and a power of the distance to points drawn at random
    for point in range(first, last):
        x, y = xy[point, 0], xy[point, 1]
        for edge in range(pointers[point], pointers[point + 1]):
            if int((epoch + 1) * often[edge]) == int(epoch * often[edge]):
                continue
            other = targets[edge]
            dx, dy = x - others[other, 0], y - others[other, 1]
            squared = dx * dx + dy * dy
            if squared > 0:
                close = power(squared, b)
                force = pulling * close / (squared * (a * close + one))
                step_x, step_y = rate * _clipped(force * dx), rate * _clipped(force * dy)
                if both and first <= other < last:
                    x += step_x
                    y += step_y
                    others[other, 0] -= step_x
                    others[other, 1] -= step_y
                else:
                    x += alone * step_x
                    y += alone * step_y
            _numbers(_mixed(chance + np.uint64(edge)), others.shape[0], drawn)
            _draw(drawn, others, point if both else -1, far[0], far[1])
            for draw in range(negatives):
                dx, dy = x - far[0, draw], y - far[1, draw]
                far[2, draw] = power(dx * dx + dy * dy, b)
            push_x, push_y = np.float32(0), np.float32(0)
            for draw in range(negatives):
                dx, dy = x - far[0, draw], y - far[1, draw]
                force = pushing / ((NEAR + dx * dx + dy * dy) * (a * far[2, draw] + one))
                push_x += _clipped(force * dx)
                push_y += _clipped(force * dy)
            x += rate * push_x
            y += rate * push_y
        xy[point, 0], xy[point, 1] = x, y
