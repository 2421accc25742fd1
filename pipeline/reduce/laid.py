"""From rows of activations to their layout: the search space, the landmarks, the method, the others' places."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.config.reduce import ReduceSettings
from pipeline.core.steady import steady
from pipeline.reduce import landmarks, pca
from pipeline.reduce.rows import Rows
from pipeline.reduce.space import search_space


@dataclass(frozen=True)
class Laid:
    """A layout.

    Attributes:
        places: [n, dimension].
        landmark: [n] which rows were laid out; the others were placed among them.
    """

    places: NDArray[np.float64]
    landmark: NDArray[np.bool_]


def lay_out(rows: Rows, settings: ReduceSettings, seed: int, dimensions: int = 2) -> Laid:
    """Lay out rows of activations, the same for any number of threads.

    Args:
        rows: distinct ones; for cosine none of them all zero.
        settings: of the stage.
        seed: of all that is drawn.
        dimensions: 1 or 2.

    Raises:
        ConfigError: the engine is not installed.
    """
    with steady():
        if settings.method == "pca":
            return Laid(pca.layout(rows, dimensions), np.ones(len(rows), bool))
        points = search_space(rows, settings.metric, settings.components)
        chosen = landmarks.choose(len(points), settings.fit_samples, seed)
        if len(chosen) == len(points):
            return Laid(_fitted(points, settings, seed, dimensions), np.ones(len(rows), bool))
        landmark = np.zeros(len(points), bool)
        landmark[chosen] = True
        places = np.empty((len(points), dimensions))
        places[landmark] = _fitted(points[landmark], settings, seed, dimensions)
        places[~landmark] = landmarks.placed_among(
            points[~landmark], points[landmark], places[landmark], settings, seed
        )
        return Laid(places, landmark)


def _fitted(points: NDArray[np.float32], settings: ReduceSettings, seed: int, dimensions: int) -> NDArray[np.float64]:
    if settings.engine == "torchdr":
        from pipeline.reduce import by_torchdr  # noqa: PLC0415  # an extra that may be missing

        return by_torchdr.layout(points, settings, seed, dimensions)
    from pipeline.reduce import tsne, umap  # noqa: PLC0415  # slow to import; only the one that is asked for

    if settings.method == "umap":
        return umap.layout(points, settings, seed, dimensions)
    return tsne.layout(points, settings, seed, dimensions)
