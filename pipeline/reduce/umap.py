"""UMAP (McInnes, Healy and Melville 2018), from exact neighbours and a start without chance."""

import numpy as np
from numpy.typing import NDArray

from pipeline.core.progress import bar_options
from pipeline.reduce import pca
from pipeline.reduce.config import ReduceSettings
from pipeline.reduce.neighbours import nearest
from pipeline.reduce.umap_parts import find_ab_params, fuzzy_simplicial_set, simplicial_set_embedding


def layout(
    activations: NDArray[np.float32], settings: ReduceSettings, seed: int, dimensions: int = 2
) -> NDArray[np.float64]:
    """Lay out [n, channel] activations as [n, dimensions].

    The phases are called one by one: ``umap.UMAP`` would search the neighbours of small sets anew and start from an
    eigenvector solver that can fail.

    Args:
        activations: distinct rows, more than ``settings.neighbours``; none of them all zero under cosine.
        settings: ``neighbours``, ``min_dist``, ``negatives``, ``epochs``, ``metric`` and ``exact_points`` are used.
        seed: of the negative samples.
        dimensions: 1 or 2.
    """
    chance = np.random.RandomState(seed)  # umap takes no Generator
    indices, distances = _with_self(
        *nearest(activations, settings.neighbours - 1, settings.metric, seed, settings.exact_points)
    )
    graph, _, _ = fuzzy_simplicial_set(
        activations, settings.neighbours, chance, settings.metric, knn_indices=indices, knn_dists=distances
    )
    curve_a, curve_b = find_ab_params(1.0, settings.min_dist)
    embedding, _ = simplicial_set_embedding(
        activations,
        graph,
        n_components=dimensions,
        initial_alpha=1.0,
        a=curve_a,
        b=curve_b,
        gamma=1.0,
        negative_sample_rate=settings.negatives,
        n_epochs=settings.epochs,
        init=_start(pca.layout(activations, settings, seed, dimensions), chance),
        random_state=chance,
        metric=settings.metric,
        metric_kwds={},
        densmap=False,
        densmap_kwds={},
        output_dens=False,
        tqdm_kwds={**bar_options("umap", 0, "epoch"), "disable": False},
    )
    return np.asarray(embedding, dtype=np.float64)


def _with_self(
    indices: NDArray[np.int32], distances: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """UMAP counts a point as its own first neighbour."""
    own = np.arange(len(indices), dtype=np.int32)[:, None]
    return np.hstack([own, indices]), np.hstack([np.zeros_like(distances[:, :1]), distances])


def _start(plane: NDArray[np.float64], chance: np.random.RandomState) -> NDArray[np.float32]:
    """First coordinates: the principal components at UMAP's usual scale of 10, with its usual touch of noise."""
    scaled = plane * (10 / max(float(np.abs(plane).max()), 1e-30))
    return (scaled + chance.normal(scale=1e-4, size=plane.shape)).astype(np.float32)
