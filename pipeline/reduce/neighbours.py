"""Nearest neighbours among activations, themselves left out."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from pipeline.core.progress import tracked
from pipeline.reduce.umap_parts import nearest_neighbors

Metric = Literal["cosine", "euclidean"]

QUERIES = 16384


def prepared(activations: NDArray[np.float32], metric: Metric) -> NDArray[np.float32]:
    """Rows whose squared Euclidean distance orders them as ``metric`` does: of length 1 for cosine.

    Args:
        activations: [n, channel]; for cosine no row is all zero.
        metric: distance between activations.
    """
    if metric == "euclidean":
        return activations
    # dividing by the largest value first keeps the squares of very small and very large rows finite
    scaled = activations / np.abs(activations).max(axis=1, keepdims=True)
    unit: NDArray[np.float32] = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    return unit


def nearest(
    activations: NDArray[np.float32], count: int, metric: Metric, seed: int, exact_points: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The ``count`` nearest other rows of each row, nearest first.

    Args:
        activations: [n, channel], distinct rows; for cosine no row is all zero.
        count: neighbours of each row, less than n.
        metric: distance between activations.
        seed: of the approximate search.
        exact_points: above this many rows the search is approximate (NN-descent), since exact search needs time n².

    Returns:
        Their indices [n, count] and distances [n, count] (1 - cosine, or Euclidean).
    """
    points = prepared(activations, metric)
    if len(points) <= exact_points:
        indices, distances = _exact(points, count + 1)
    else:
        chance = np.random.RandomState(seed)
        indices, distances, _ = nearest_neighbors(points, count + 1, "euclidean", {}, False, chance, n_jobs=1)
    indices, distances = _without_self(indices, distances)
    if metric == "cosine":
        distances = distances**2 / 2  # of unit vectors: |a - b|² = 2 (1 - cos)
    return indices.astype(np.int32), distances.astype(np.float32)


def _exact(points: NDArray[np.float32], count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """All pairs, a block of queries at a time; scikit-learn keeps only the nearest of each."""
    search = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(points)
    starts = range(0, len(points), QUERIES)
    found = [
        search.kneighbors(points[start : start + QUERIES])
        for start in tracked(starts, "nearest neighbours", len(starts), "block")
    ]
    return np.concatenate([indices for _, indices in found]), np.concatenate([distances for distances, _ in found])


def _without_self(
    indices: NDArray[np.int64], distances: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Drop each row's own index; where rounding pushed it off the list, drop the farthest instead."""
    own = indices == np.arange(len(indices))[:, None]
    own[~own.any(axis=1), -1] = True
    shape = (len(indices), indices.shape[1] - 1)
    return indices[~own].reshape(shape), distances[~own].reshape(shape)
