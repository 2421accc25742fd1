"""t-SNE (van der Maaten and Hinton 2008) by openTSNE, from the nearest neighbours and a PCA start."""

import numpy as np
from numpy.typing import NDArray
from openTSNE import TSNE
from openTSNE.affinity import PerplexityBasedNN
from openTSNE.nearest_neighbors import PrecomputedNeighbors

from pipeline.config.reduce import ReduceSettings
from pipeline.core.progress import progress
from pipeline.reduce.neighbours import nearest_others
from pipeline.reduce.start import principal_start
from pipeline.reduce.umap import distance

# below this, Barnes-Hut is faster than the Fourier grid
BARNES_HUT_POINTS = 1000
EXAGGERATED = 250
CALLBACK_ITERATIONS = 10


def layout(
    points: NDArray[np.float32], settings: ReduceSettings, seed: int, dimensions: int = 2
) -> NDArray[np.float64]:
    """Lay out points [n, component] of the search space as [n, dimensions].

    Args:
        points: distinct rows, at least ``settings.needed_points``.
        settings: ``perplexity``, ``iterations``, ``metric`` and ``exact_points`` are used.
        seed: of the approximate search and of openTSNE.
        dimensions: 1 or 2.
    """
    count = int(3 * settings.perplexity)  # the neighbours that carry weight at this perplexity
    indices, squared = nearest_others(points, count, seed, settings.exact_points)
    index = PrecomputedNeighbors(indices, distance(squared, settings.metric))
    affinities = PerplexityBasedNN(
        perplexity=settings.perplexity, knn_index=index, k_neighbors=count, n_jobs=1, random_state=seed
    )
    start = principal_start(points)[:, :dimensions]
    start = start * (1e-4 / max(float(start[:, 0].std()), 1e-30))
    with progress("t-SNE", EXAGGERATED + settings.iterations, "iteration") as bar:

        def follow(*_state: object) -> None:  # anything true would end the fit
            bar.update(CALLBACK_ITERATIONS)

        fitted = TSNE(
            n_components=dimensions,
            early_exaggeration_iter=EXAGGERATED,
            n_iter=settings.iterations,
            initialization=start,
            n_jobs=1,  # sums over threads would not repeat bit for bit
            negative_gradient_method="bh" if len(start) < BARNES_HUT_POINTS else "fft",
            random_state=seed,
            callbacks=follow,
            callbacks_every_iters=CALLBACK_ITERATIONS,
        ).fit(affinities=affinities)
    return np.asarray(fitted, dtype=np.float64)
