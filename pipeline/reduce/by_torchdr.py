"""UMAP and t-SNE by TorchDR (van Assel et al.), an optional extra that runs on a GPU too."""

import warnings

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.config.reduce import ReduceSettings
from pipeline.reduce.start import principal_start

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it tells everyone that FAISS is missing, and Python of its escape sequences
    from torchdr import TSNE, UMAP

EPOCHS = 500
EXAGGERATED = 250


def layout(
    points: NDArray[np.float32], settings: ReduceSettings, seed: int, dimensions: int = 2
) -> NDArray[np.float64]:
    """Lay out points [n, component] of the search space as [n, dimensions].

    Args:
        points: distinct rows, at least ``settings.needed_points``.
        settings: ``method``, ``device`` and the settings of the method are used.
        seed: of TorchDR.
        dimensions: 1 or 2.
    """
    start = torch.from_numpy(principal_start(points)[:, :dimensions].astype(np.float32))
    # as torch tensors, its own way to search neighbours: no further package
    common = {
        "n_components": dimensions, "init": start, "device": settings.device, "backend": None, "random_state": seed,
        "distributed": False,
    }  # fmt: skip
    if settings.method == "umap":
        model = UMAP(
            n_neighbors=settings.neighbours, min_dist=settings.min_dist, max_iter=settings.epochs or EPOCHS,
            negative_sample_rate=settings.negatives, **common,
        )  # fmt: skip
    else:
        model = TSNE(
            perplexity=settings.perplexity, max_iter=EXAGGERATED + settings.iterations,
            early_exaggeration_iter=EXAGGERATED, **common,
        )  # fmt: skip
    laid = model.fit_transform(torch.from_numpy(points)).detach().cpu().numpy()
    return np.asarray(laid, dtype=np.float64)
