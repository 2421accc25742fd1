"""Landmarks: of very many points some are laid out, and the others find their places among them."""

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from pipeline.config.reduce import ReduceSettings
from pipeline.reduce.descent import descend
from pipeline.reduce.fuzzy import memberships
from pipeline.reduce.neighbours import nearest_among
from pipeline.reduce.umap import curve, distance

EPOCHS = 30  # as many as umap-learn gives to points that come later


def choose(count: int, most: int | None, seed: int) -> NDArray[np.int64]:
    """Which of ``count`` points are landmarks, ascending: all of them, or ``most`` drawn at random."""
    if most is None or count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).permutation(count)[:most])


def placed_among(
    points: NDArray[np.float32],
    landmarks: NDArray[np.float32],
    places: NDArray[np.float64],
    settings: ReduceSettings,
    seed: int,
) -> NDArray[np.float64]:
    """Places for points, by their nearest landmarks: the mean by membership, and for UMAP a short descent from there.

    Args:
        points: [n, component] of the search space.
        landmarks: [landmark, component].
        places: [landmark, dimension], their layout.
        settings: of the stage; ``neighbours`` are asked.
        seed: of the approximate search and of the negative samples.

    Returns:
        [n, dimension].
    """
    count = min(settings.neighbours, len(landmarks))
    indices, squared = nearest_among(points, landmarks, count, seed, settings.exact_points)
    belongs = memberships(distance(squared, settings.metric), count + 1)
    share = belongs / belongs.sum(axis=1, keepdims=True)
    mean = np.zeros((len(points), places.shape[1]))
    for place in range(count):
        mean += share[:, place, None] * places[indices[:, place]]
    if settings.method != "umap" or settings.engine != "own":
        return mean
    shape = (len(points), len(landmarks))
    pointers = np.arange(0, indices.size + 1, count)
    graph = scipy.sparse.csr_array((belongs.ravel(), indices.ravel(), pointers), shape=shape)
    moved = descend(_flat(mean), graph, curve(settings), EPOCHS, settings.negatives, seed, _flat(places))
    return moved[:, : places.shape[1]].astype(np.float64)


def _flat(places: NDArray[np.float64]) -> NDArray[np.float32]:
    """Places in a plane: a line has y = 0."""
    flat = np.zeros((len(places), 2), np.float32)
    flat[:, : places.shape[1]] = places
    return flat
