"""UMAP (McInnes, Healy and Melville 2018), from a start without chance and the same for any number of threads."""

import numpy as np
from numpy.typing import NDArray

from pipeline.config.reduce import ReduceSettings
from pipeline.reduce.descent import Curve, descend
from pipeline.reduce.fuzzy import memberships, union
from pipeline.reduce.neighbours import nearest_others
from pipeline.reduce.start import principal_start
from pipeline.reduce.umap_parts import find_ab_params

# UMAP's own numbers: few points get more epochs
FEW_POINTS, FEW_EPOCHS, EPOCHS = 10_000, 500, 200
SPAN = 10.0


def layout(
    points: NDArray[np.float32], settings: ReduceSettings, seed: int, dimensions: int = 2
) -> NDArray[np.float64]:
    """Lay out points [n, component] of the search space as [n, dimensions].

    Args:
        points: distinct rows, more than ``settings.neighbours``.
        settings: ``neighbours``, ``min_dist``, ``negatives``, ``epochs``, ``metric`` and ``exact_points`` are used.
        seed: of the approximate search and of the negative samples.
        dimensions: 1 or 2.
    """
    indices, squared = nearest_others(points, settings.neighbours - 1, seed, settings.exact_points)
    graph = union(indices, memberships(distance(squared, settings.metric), settings.neighbours))
    epochs = settings.epochs or (FEW_EPOCHS if len(points) <= FEW_POINTS else EPOCHS)
    laid = descend(_start(points, dimensions), graph, curve(settings), epochs, settings.negatives, seed)
    return laid[:, :dimensions].astype(np.float64)


def curve(settings: ReduceSettings) -> Curve:
    """How close points look at each distance of the layout, by ``min_dist``."""
    return Curve(*map(float, find_ab_params(1.0, settings.min_dist)))


def distance(squared: NDArray[np.float32], metric: str) -> NDArray[np.float32]:
    """The metric's distance from the squared one of the search space: 1 - cosine, or Euclidean."""
    if metric == "cosine":
        return squared / np.float32(2)
    return np.sqrt(squared)


def _start(points: NDArray[np.float32], dimensions: int) -> NDArray[np.float64]:
    """First coordinates: the principal components in 0..10 along each axis, as in UMAP; a line has y = 0."""
    plane = principal_start(points)
    low, span = plane.min(axis=0), np.maximum(np.ptp(plane, axis=0), 1e-30)
    spread: NDArray[np.float64] = SPAN * (plane - low) / span
    spread[:, dimensions:] = 0
    return spread
