"""Layouts by other packages, chosen by ``reduce.engine``.

- ``umap_learn``: the reference implementation of UMAP, on the neighbors and the initialization of the built-in engine.
  Graph and optimization are umap-learn's, seeded and therefore single-threaded.
- ``torchdr``: UMAP and t-SNE by TorchDR (van Assel et al.), an optional extra that also runs on GPUs.
"""

import warnings
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config.reduce import ReduceSettings
from pipeline.core.errors import ConfigError
from pipeline.core.progress import counted, log_line
from pipeline.reduce import pca
from pipeline.reduce.rows import Rows

TORCHDR_UMAP_EPOCHS = 500
EARLY_EXAGGERATION_ITERATIONS = 250


def check_engine(settings: ReduceSettings) -> None:
    """Raise ConfigError if TorchDR is the engine and is not installed."""
    if settings.engine == "torchdr" and settings.method != "pca" and find_spec("torchdr") is None:
        raise ConfigError(
            "reduce.engine: expected the package torchdr for engine torchdr, found none; "
            "run 'uv sync --extra torchdr', or set reduce.engine=builtin"
        )


def embed(points: NDArray[np.float32], settings: ReduceSettings, seed: int, dimensions: int = 2) -> NDArray[np.float64]:
    """Embed points [n, component] of the kNN space as [n, dimensions], by ``settings.engine``.

    Args:
        points: distinct rows, at least ``settings.needed_points``.
        settings: ``method``, ``engine``, ``device`` and the settings of the method are used.
        seed: of the engine.
        dimensions: 1 or 2.
    """
    if settings.engine == "umap_learn":
        return _embed_by_umap_learn(points, settings, seed, dimensions)
    return _embed_by_torchdr(points, settings, seed, dimensions)


def _embed_by_umap_learn(
    points: NDArray[np.float32], settings: ReduceSettings, seed: int, dimensions: int
) -> NDArray[np.float64]:
    # slow to import, and check_engine is part of the check before every run
    from pipeline.reduce.knn import knn_graph, metric_distance  # noqa: PLC0415  # slow to import

    ids, squared = knn_graph(points, settings.neighbors - 1, seed, settings.exact_points)
    # umap-learn counts a point among its own neighbors
    ids = np.concatenate([np.arange(len(points), dtype=np.int32)[:, None], ids], axis=1)
    distances = np.pad(metric_distance(squared, settings.metric), ((0, 0), (1, 0)))
    initial = pca.embed(Rows(points))[:, :dimensions]
    flat = np.ptp(initial, axis=0) == 0
    # umap-learn divides by the range of each axis
    initial[:, flat] = np.random.default_rng(seed).random((len(points), int(flat.sum())))
    model = _umap_learn().UMAP(
        n_neighbors=settings.neighbors, n_components=dimensions, min_dist=settings.min_dist, n_epochs=settings.epochs,
        negative_sample_rate=settings.negative_sample_rate, init=initial, random_state=seed, n_jobs=1,
        precomputed_knn=(ids, distances), force_approximation_algorithm=True,
    )  # fmt: skip
    log_line(f"umap-learn: {counted(len(points), 'point')}")  # it reports no progress of its own
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="precomputed_knn")  # transform, which is not used, is unavailable
        embedding = model.fit_transform(points)
    return np.asarray(embedding, dtype=np.float64)


def _umap_learn() -> ModuleType:
    """umap-learn's module ``umap.umap_``, which takes seconds to import."""
    with warnings.catch_warnings():
        # it warns that its optional Keras model is missing
        warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
        return import_module("umap.umap_")


def _embed_by_torchdr(
    points: NDArray[np.float32], settings: ReduceSettings, seed: int, dimensions: int
) -> NDArray[np.float64]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchDR warns that FAISS is missing, and Python of its escape sequences
        import torch  # noqa: PLC0415  # takes seconds to load, and the other engines need none
        from torchdr import TSNE, UMAP  # noqa: PLC0415  # an extra that may not be installed

    initial = torch.from_numpy(pca.embed(Rows(points))[:, :dimensions].astype(np.float32))
    # without a backend it searches neighbors by torch itself and needs no further package
    common: dict[str, Any] = {
        "n_components": dimensions, "init": initial, "device": settings.device, "backend": None, "random_state": seed,
        "distributed": False,
    }  # fmt: skip
    if settings.method == "umap":
        model = UMAP(
            n_neighbors=settings.neighbors, min_dist=settings.min_dist,
            max_iter=settings.epochs or TORCHDR_UMAP_EPOCHS, negative_sample_rate=settings.negative_sample_rate,
            **common,
        )  # fmt: skip
    else:
        model = TSNE(
            perplexity=settings.perplexity, max_iter=EARLY_EXAGGERATION_ITERATIONS + settings.iterations,
            early_exaggeration_iter=EARLY_EXAGGERATION_ITERATIONS, **common,
        )  # fmt: skip
    embedding = model.fit_transform(torch.from_numpy(points)).detach().cpu().numpy()
    return np.asarray(embedding, dtype=np.float64)
