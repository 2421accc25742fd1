"""From rows of activations to a layout: the kNN space, the landmarks, the method, the placement of the other rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.config.reduce import ReduceSettings
from pipeline.parallel.process import single_threaded_blas
from pipeline.reduce import pca, umap
from pipeline.reduce.knn import knn_query, knn_space, metric_distance
from pipeline.reduce.rows import Rows


@dataclass(frozen=True)
class Layout:
    """A layout as its method returns it, before it is fitted into the unit square.

    Attributes:
        coordinates: [n, dimension].
        is_landmark: [n] the method laid the row out; other rows were placed among the landmarks.
    """

    coordinates: NDArray[np.float64]
    is_landmark: NDArray[np.bool_]


def compute_layout(rows: Rows, settings: ReduceSettings, seed: int, dimensions: int = 2) -> Layout:
    """Lay out rows of activations, reproducibly for any number of threads.

    Args:
        rows: distinct; for cosine no row may be all zero.
        settings: of the stage.
        seed: of everything random.
        dimensions: 1 or 2.
    """
    with single_threaded_blas():
        if settings.method == "pca":
            return Layout(pca.embed(rows, dimensions), np.ones(len(rows), bool))
        points = knn_space(rows, settings.metric, settings.components)
        landmarks = select_landmarks(len(points), settings.fit_samples, seed)
        if len(landmarks) == len(points):
            return Layout(_embed(points, settings, seed, dimensions), np.ones(len(rows), bool))
        is_landmark = np.zeros(len(points), bool)
        is_landmark[landmarks] = True
        coordinates = np.empty((len(points), dimensions))
        coordinates[is_landmark] = _embed(points[is_landmark], settings, seed, dimensions)
        coordinates[~is_landmark] = _place_among_landmarks(
            points[~is_landmark], points[is_landmark], coordinates[is_landmark], settings, seed
        )
        return Layout(coordinates, is_landmark)


def select_landmarks(count: int, limit: int | None, seed: int) -> NDArray[np.int64]:
    """Ascending indices of the landmarks among ``count`` points: all of them, or ``limit`` drawn at random."""
    if limit is None or count <= limit:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).permutation(count)[:limit])


def _embed(points: NDArray[np.float32], settings: ReduceSettings, seed: int, dimensions: int) -> NDArray[np.float64]:
    if settings.engine != "builtin":
        from pipeline.reduce import external_engines  # noqa: PLC0415  # slow to import

        return external_engines.embed(points, settings, seed, dimensions)
    if settings.method == "umap":
        return umap.embed(points, settings, seed, dimensions)
    from pipeline.reduce import tsne  # noqa: PLC0415  # slow to import

    return tsne.embed(points, settings, seed, dimensions)


def _place_among_landmarks(
    points: NDArray[np.float32],
    landmarks: NDArray[np.float32],
    coordinates: NDArray[np.float64],
    settings: ReduceSettings,
    seed: int,
) -> NDArray[np.float64]:
    """Place points by their nearest landmarks: the mean weighted by membership, then refined as UMAP does.

    Args:
        points: [n, component] of the kNN space.
        landmarks: [landmark, component].
        coordinates: [landmark, dimension], their layout.
        settings: of the stage; a point has ``neighbors`` nearest landmarks.
        seed: of the approximate search and of the negative samples.

    Returns:
        [n, dimension].
    """
    k = min(settings.neighbors, len(landmarks))
    ids, squared = knn_query(points, landmarks, k, seed, settings.exact_points)
    strengths = umap.membership_strengths(metric_distance(squared, settings.metric), k + 1)
    weight = strengths / strengths.sum(axis=1, keepdims=True)
    mean = np.zeros((len(points), coordinates.shape[1]))
    for slot in range(k):
        mean += weight[:, slot, None] * coordinates[ids[:, slot]]
    if settings.method != "umap":
        return mean
    return umap.refine_placed(mean, coordinates, ids, strengths, settings, seed)
