"""t-SNE (van der Maaten and Hinton 2008) by openTSNE, with the project's nearest neighbors and PCA initialization."""

import numpy as np
from numpy.typing import NDArray
from openTSNE import TSNE
from openTSNE.affinity import PerplexityBasedNN
from openTSNE.nearest_neighbors import PrecomputedNeighbors

from pipeline.config.reduce import ReduceSettings
from pipeline.core.progress import progress
from pipeline.reduce import pca
from pipeline.reduce.knn import knn_graph, metric_distance
from pipeline.reduce.rows import Rows

# below this, Barnes-Hut is faster than the Fourier grid
BARNES_HUT_POINTS = 1000
EARLY_EXAGGERATION_ITERATIONS = 250
CALLBACK_ITERATIONS = 10


def embed(points: NDArray[np.float32], settings: ReduceSettings, seed: int, dimensions: int = 2) -> NDArray[np.float64]:
    """Embed points [n, component] of the kNN space as [n, dimensions].

    Args:
        points: distinct rows, at least ``settings.needed_points``.
        settings: ``perplexity``, ``iterations``, ``metric`` and ``exact_points`` are used.
        seed: of the approximate search and of openTSNE.
        dimensions: 1 or 2.
    """
    k = int(3 * settings.perplexity)  # farther neighbors have no weight at this perplexity
    ids, squared = knn_graph(points, k, seed, settings.exact_points)
    index = PrecomputedNeighbors(ids, metric_distance(squared, settings.metric))
    affinities = PerplexityBasedNN(
        perplexity=settings.perplexity, knn_index=index, k_neighbors=k, n_jobs=1, random_state=seed
    )
    initial = pca.embed(Rows(points))[:, :dimensions]
    initial = initial * (1e-4 / max(float(initial[:, 0].std()), 1e-30))
    with progress("t-SNE", EARLY_EXAGGERATION_ITERATIONS + settings.iterations, "iteration") as bar:

        def on_iterations(*_state: object) -> None:  # a true return value would end the fit
            bar.update(CALLBACK_ITERATIONS)

        fitted = TSNE(
            n_components=dimensions,
            early_exaggeration_iter=EARLY_EXAGGERATION_ITERATIONS,
            n_iter=settings.iterations,
            initialization=initial,
            n_jobs=1,  # sums over threads are not reproducible bit for bit
            negative_gradient_method="bh" if len(initial) < BARNES_HUT_POINTS else "fft",
            random_state=seed,
            callbacks=on_iterations,
            callbacks_every_iters=CALLBACK_ITERATIONS,
        ).fit(affinities=affinities)
    return np.asarray(fitted, dtype=np.float64)
