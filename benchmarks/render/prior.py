"""The prior of our icons: the feature statistics of their cells' exemplars, as the stage ``render`` takes them."""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.real import Run
from benchmarks.render.cells import Cells
from pipeline.config.render import RenderSettings
from pipeline.core import zarr_store
from pipeline.core.artifacts import ACTIVATIONS, IMAGES, MODEL
from pipeline.featurevis.exemplar_statistics import (
    PatchStatisticsSpec,
    StatisticsPrior,
    prior_channels,
    usual_deviation,
)
from pipeline.featurevis.sample_patches import PatchesSpec, Samples, cell_means
from pipeline.parallel.pool import InlinePool

Floats = NDArray[np.float32]


def prior_of(cells: Cells, settings: RenderSettings) -> tuple[StatisticsPrior | None, Floats]:
    """The prior, and the statistics of each cell [cell, statistic]; none where the settings leave it out."""
    channels = prior_channels(settings, cells.layer, cells.network.layers)
    if not channels:
        return None, np.zeros((len(cells.mean), 0), np.float32)
    spec = _spec(cells.run, cells.layer, tuple(channels), settings.size, settings.device)
    key = (cells.run.outputs, cells.layer, tuple(channels), settings.size)
    if key not in _deviations:
        _deviations[key] = usual_deviation(InlinePool(None), spec, samples_of(cells.run.outputs, cells.layer))
    own = (*key, cells.exemplars.tobytes())
    if own not in _statistics:
        (found,) = cell_means(InlinePool(None), spec, samples_of(cells.run.outputs, cells.layer), [cells.exemplars])
        _statistics[own] = found
    return StatisticsPrior(channels, _deviations[key], settings.statistics), _statistics[own]


_deviations: dict[object, Floats] = {}
_statistics: dict[object, Floats] = {}


@cache
def samples_of(outputs: Path, layer: str) -> Samples:
    """All samples of a layer of a run."""
    activations = zarr_store.open_artifact(ACTIVATIONS, ACTIVATIONS.path(outputs, layer))
    image, position = (np.asarray(zarr_store.array(activations, name)[...]) for name in ("image", "position"))
    return Samples(image, position)


def _spec(run: Run, layer: str, layers: tuple[str, ...], size: int, device: str) -> PatchStatisticsSpec:
    patches = PatchesSpec(MODEL.path(run.outputs), IMAGES.path(run.outputs), run.params.images, layer, size)
    return PatchStatisticsSpec(patches, layers, device)
