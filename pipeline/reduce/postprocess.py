"""From the coordinates of a method to the unit square: alignment, frame, equalization, and the axis of a comparison.

Layouts have no preferred orientation, so each is aligned with the PCA plane of the reference layer. A comparison
follows Carter et al. 2019, "Comparing Classifications": x is the difference of the two attributions divided by its 99th
percentile, y a one-dimensional layout of the activations.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.config.reduce import ReduceSettings
from pipeline.reduce.rows import DistinctRows

DIRECTIONS = 32
STEP = 0.3
GOLDEN = (5**0.5 - 1) / 2
AXIS_PERCENTILE = 99


def postprocess(
    coordinates: NDArray[np.float64], distinct: DistinctRows, reference: NDArray[np.float64], settings: ReduceSettings
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Align the layout of the distinct rows, fit it into 0..1 and equalize it, for every row.

    Args:
        coordinates: [distinct, 2], or [distinct, 1] for a comparison.
        distinct: which rows are equal.
        reference: [row, 2] coordinates that the layout is aligned with.
        settings: ``percentile``, ``margin`` and ``equalization`` are used.

    Returns:
        Coordinates [row, 2] or [row, 1] in 0..1, and which rows [row] lay outside the frame and were clipped to it.
    """
    one_dimensional = coordinates.shape[1] == 1
    rows = coordinates[distinct.inverse]
    aligned = flip_to_match(rows, reference[:, 0]) if one_dimensional else procrustes(rows, reference)
    square, outside = to_unit_square(aligned, settings.percentile, settings.margin)
    # equal rows move together: equalized one by one, they would separate
    move = equalize_line if one_dimensional else equalize
    return move(square[distinct.first], settings.equalization)[distinct.inverse].astype(np.float32), outside


def procrustes(points: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotate or reflect ``points`` [n, 2] about their mean to the least squared distance from ``reference`` [n, 2].

    Orthogonal Procrustes (Schönemann 1966): distances between the points do not change. The result is centered on 0.
    """
    centered = points - points.mean(axis=0)
    left, _, right = np.linalg.svd(centered.T @ (reference - reference.mean(axis=0)))
    rotated: NDArray[np.float64] = centered @ (left @ right)
    return rotated


def flip_to_match(points: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points [n, 1], negated if they correlate negatively with ``reference`` [n]. The result is centered on 0."""
    centered = points - points.mean(axis=0)
    covariance = float(centered[:, 0] @ (reference - reference.mean()))
    flipped: NDArray[np.float64] = np.copysign(1, covariance) * centered
    return flipped


def to_unit_square(
    points: NDArray[np.float64], percentile: float, margin: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Fit points [n, 2] into a frame and clip those outside to its edge.

    The frame of each axis runs from the ``percentile``-th to the (100 - ``percentile``)-th percentile, widened by
    ``margin`` times that span at both ends alike (Carter et al. 2019 widen one end more than the other).

    Returns:
        The points [n, 2] in 0..1, and which of them [n] lay outside the frame.
    """
    low, high = np.percentile(points, [percentile, 100 - percentile], axis=0)
    span = high - low
    low, high = low - margin * span, high + margin * span
    flat = high <= low  # every point has the same coordinate: put it in the middle
    low, high = np.where(flat, low - 0.5, low), np.where(flat, low + 0.5, high)
    outside = ((points < low) | (points > high)).any(axis=1)
    return np.clip((points - low) / (high - low), 0, 1), outside


def equalize(points: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Move points [n, 2] of the unit square part of the way to a uniform density, so that fewer cells stay empty.

    The target is sliced optimal transport (Rabin et al. 2011) to a uniform lattice: along one direction after the
    other, the points move towards the lattice points of the same rank. The order along a direction is kept, so
    neighbors stay neighbors, while dense regions widen and gaps close.

    Args:
        points: [n, 2] in 0..1.
        share: of the way, in 0..1: 0 leaves the points as they are, 1 removes all differences of density.
    """
    if share == 0:
        return points
    lattice, moved = _kronecker_lattice(len(points)), points.copy()
    for index in range(DIRECTIONS):
        angle = np.pi * (index * GOLDEN % 1)
        x, y = np.cos(angle), np.sin(angle)
        projected = moved[:, 0] * x + moved[:, 1] * y
        order = np.argsort(projected, kind="stable")
        push = STEP * (np.sort(lattice[:, 0] * x + lattice[:, 1] * y) - projected[order])
        moved[order, 0] += push * x
        moved[order, 1] += push * y
    return np.clip(points + share * (moved - points), 0, 1)


def _kronecker_lattice(count: int) -> NDArray[np.float64]:
    """Points [count, 2] that fill the unit square uniformly (a Kronecker lattice of the golden ratio)."""
    index = np.arange(count)
    return np.stack([(index + 0.5) / count, index * GOLDEN % 1], axis=1)


def equalize_line(y: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """As :func:`equalize`, for values [n, 1] in 0..1; their order does not change."""
    rank = np.argsort(np.argsort(y[:, 0], kind="stable"), kind="stable")
    uniform = (rank[:, None] + 0.5) / len(y)
    moved: NDArray[np.float64] = y + share * (uniform - y)
    return moved


@dataclass(frozen=True)
class ComparisonAxis:
    """The horizontal axis of a comparison.

    Attributes:
        scale: attribution to the right class minus that to the left one at the right edge, logit; -scale at the left.
        clipped: share of the samples beyond the edges, which are clipped to them.
    """

    scale: float
    clipped: float


def comparison_axis(difference: NDArray[np.float32]) -> tuple[NDArray[np.float64], ComparisonAxis]:
    """Horizontal positions x [n] in 0..1 for attribution differences [n]; a difference of 0 is exactly at 0.5."""
    wide = difference.astype(np.float64)
    scale = float(np.percentile(np.abs(wide), AXIS_PERCENTILE)) or 1.0
    share = np.clip(wide / scale, -1, 1)
    return 0.5 + share / 2, ComparisonAxis(scale, float((np.abs(wide) > scale).mean()))
