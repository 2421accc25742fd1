"""Feature statistics of a cell's exemplars: what earlier layers see in its real patches, as a prior for its icon.

A direction says what the layer shall find at its center. Many images give it that, and most of them look like nothing.
An icon is therefore also pulled towards images that earlier layers see as they see the cell's exemplars: with the same
mean and standard deviation of each channel over the canvas (Li et al. 2017, "Demystifying Neural Style Transfer"). They
hold colors, textures and the amount of detail, but no positions: no part of an image is copied.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.config.render import RenderSettings
from pipeline.core.errors import ConfigError, ModelError
from pipeline.featurevis.composition import Objective, lazy
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.objectives import channel_statistics, feature_statistics
from pipeline.featurevis.sample_patches import (
    MeasurementSpec,
    Patches,
    PatchesSpec,
    Samples,
    measured,
    measured_in_batches,
)
from pipeline.model.description import LayerShape
from pipeline.model.layers import require_layer
from pipeline.parallel.pool import Pool

Floats = NDArray[np.float32]
LAYERS = 3  # earlier layers whose statistics are taken, unless they are named
EVERY = 4  # steps: at equal weight as legible and as faithful as at every step, in a quarter of the time
DEVIATION_SAMPLES = 1024
MEAN_SHARE = 0.1  # of a statistic's mean, added to its deviation: a channel that hardly varies shall not rule
SMALLEST = 1e-6  # deviation


@dataclass(frozen=True, eq=False)
class StatisticsPrior:
    """The term of the objective that pulls icons towards the statistics of their cells' exemplars.

    A cell's statistics are one row: layer by layer the means of all channels, then their standard deviations.

    Attributes:
        channels: of each layer, by dotted module path.
        deviation: of each statistic from patch to patch, [statistic], above 0; see :func:`usual_deviation`.
        weight: of the term, beside the direction's.
    """

    channels: Mapping[str, int]
    deviation: Floats
    weight: float

    @property
    def statistics(self) -> int:
        """How many there are."""
        return len(self.deviation)

    def objective(self, targets: Tensor) -> Objective:
        """Minus the mean over layers and channels of squared deviations from the targets [image, statistic]."""
        deviation = torch.from_numpy(self.deviation).to(targets)
        first, *others = (
            feature_statistics(layer, wanted, usual[0])
            for (layer, wanted), usual in zip(
                self._by_layer(targets), (part for _, part in self._by_layer(deviation[None])), strict=True
            )
        )
        total = sum(others, first)
        return lazy(self.weight / len(self.channels) * total, EVERY)

    def _by_layer(self, rows: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Each layer's part of rows [row, statistic], as [row, 2, channel]."""
        start = 0
        for layer, channels in self.channels.items():
            yield layer, rows[:, start : start + 2 * channels].reshape(-1, 2, channels)
            start += 2 * channels


@dataclass(frozen=True, eq=False)
class PatchStatisticsSpec:
    """Everything that :class:`PatchStatistics` is built from; small enough to travel to a worker.

    Attributes:
        patches: of samples.
        layers: whose statistics are taken, dotted module paths.
        device: where it runs.
    """

    patches: PatchesSpec
    layers: Sequence[str]
    device: str

    def __call__(self) -> "PatchStatistics":
        """The statistics, in a worker."""
        network = self.patches.load_network(self.device)
        patches = self.patches.open(network)
        size = (patches.side, patches.side)  # of the whole input, where the cells' layer is one of tokens
        extractor = FeatureExtractor(network, self.layers, size, "float32", size_setting="render.size")
        return PatchStatistics(patches, extractor, self.device)


class PatchStatistics:
    """The feature statistics of patches."""

    def __init__(self, patches: Patches, extractor: FeatureExtractor, device: str) -> None:
        """Prepare.

        Args:
            patches: of samples.
            extractor: of the layers whose statistics are taken, for images as large as a patch.
            device: of the extractor.
        """
        self._patches, self._extractor, self._device = patches, extractor, device

    def __call__(self, samples: Samples) -> Floats:
        """The statistics of the patches, [sample, statistic]: layer by layer means, then standard deviations."""

        def statistics(images: Tensor) -> Tensor:
            features = self._extractor(images)
            return torch.cat([channel_statistics(features[layer]).flatten(1) for layer in self._extractor.layers], 1)

        return measured_in_batches(
            len(samples),
            lambda number: self._patches(int(samples.image[number]), samples.position[number]),
            self._device,
            statistics,
        )


def statistics_layers(layer: str, layers: Mapping[str, LayerShape], count: int = LAYERS) -> list[str]:
    """At most ``count`` layers before ``layer``, evenly spaced from the first to the last one.

    They are of the same or a higher level of nesting. Of modules whose outputs have one shape and one receptive field,
    such as a convolution and its ReLU, only the last counts.

    Args:
        layer: dotted module path.
        layers: of the network, in the order of the modules.
        count: of layers.
    """
    names = list(layers)
    earlier = [name for name in names[: names.index(layer)] if name.count(".") <= layer.count(".")]
    own = layers[layer]
    distinct: dict[object, str] = {}
    for name in earlier:
        shape = layers[name]
        if shape.is_tokens:
            distinct[name] = name
        elif shape.receptive_field < own.receptive_field:
            distinct[shape] = name
    found = [name for name in earlier if name in set(distinct.values())]
    chosen = np.linspace(0, len(found) - 1, min(count, len(found))).round().astype(int)
    return [found[index] for index in chosen]


def prior_channels(settings: RenderSettings, layer: str, layers: Mapping[str, LayerShape]) -> dict[str, int]:
    """The layers whose statistics the prior of ``layer`` takes, and their channels; none where there is no prior.

    Args:
        settings: of the stage.
        layer: dotted module path.
        layers: of the network, in the order of the modules.

    Raises:
        ConfigError: a layer that the settings name has no map.
    """
    if not settings.statistics:
        return {}
    named = settings.statistics_layers.get(layer)
    chosen = statistics_layers(layer, layers) if named is None else named
    try:
        return {name: require_layer(name, layers).channels for name in chosen}
    except ModelError as error:
        raise ConfigError(f"render.statistics_layers.{layer}: {error}") from None


def prior_without_data(
    settings: RenderSettings, layer: str, layers: Mapping[str, LayerShape]
) -> StatisticsPrior | None:
    """A prior that costs as much as the one of a run, to measure by; see :func:`prior_channels`."""
    channels = prior_channels(settings, layer, layers)
    if not channels:
        return None
    return StatisticsPrior(channels, np.ones(2 * sum(channels.values()), np.float32), settings.statistics)


def usual_deviation(pool: Pool, spec: MeasurementSpec, samples: Samples) -> Floats:
    """By how much each statistic varies from patch to patch, [statistic], above 0.

    It is the standard deviation over the patches of :data:`DEVIATION_SAMPLES` samples, evenly spaced among all, plus a
    tenth of the mean's absolute value. It depends on no grid, so that icons do not change when a level is added.

    Args:
        pool: the workers.
        spec: of the statistics.
        samples: all of the layer, at least one.
    """
    rows = np.unique(np.linspace(0, len(samples) - 1, min(len(samples), DEVIATION_SAMPLES)).round().astype(np.int64))
    found = np.concatenate([values for _, values in measured(pool, spec, samples[rows])])
    mean, deviation = found.mean(0, dtype=np.float64), found.std(0, dtype=np.float64)
    return np.asarray(np.maximum(deviation + MEAN_SHARE * np.abs(mean), SMALLEST), np.float32)
