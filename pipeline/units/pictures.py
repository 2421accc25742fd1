"""Pictures of units: images optimized for one channel, alone, towards its clusters of patches, or unlike each other."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.config.units import ObjectiveName, UnitsSettings
from pipeline.core.layer_names import LOGITS
from pipeline.featurevis.cache import image_key
from pipeline.featurevis.composition import Objective, at_most, numbered, same_start
from pipeline.featurevis.exemplar_statistics import StatisticsPrior
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.objectives import alignment, channel, diversity, logit, neuron, probability
from pipeline.featurevis.renderer import Measured
from pipeline.featurevis.transforms import held_out_matrices, resample
from pipeline.model.network import Network
from pipeline.units.figures import Clusters

Floats = NDArray[np.float32]
Role = Literal["high", "low", "facet", "diverse"]
NUMBERS = 5  # of a target before its statistics: channel, weight, another channel, its weight, number of the picture
OTHER, OTHER_WEIGHT, NUMBER = 2, 3, 4


@dataclass(frozen=True, eq=False)
class UnitPurpose:
    """Pictures of single channels; see :class:`pipeline.featurevis.renderer.Purpose`.

    A target is a row: the channel and the weight of its activation, negative where it shall be low; the same of a
    second channel, whose weight is 0 unless two are shown together; the number of the picture among those of one
    target; and the feature statistics that the picture is pulled to.

    Attributes:
        layer: dotted module path, or :data:`~pipeline.model.description.LOGITS`, whose channels are the classes.
        objective_name: ``channel`` or ``neuron``; of a class its logit either way, or its ``probability``.
        prior: pull towards the feature statistics of real patches; None for none.
        diversity: weight of the difference between the pictures of a batch; 0 for none.
        compared_layer: where pictures of a batch shall differ or be alike; the units' layer unless another is named.
        pairs: targets have two channels.
        alignment: weight of the likeness between neighbors of a batch, which start alike; 0 for none.
        limit: of the weighted activation, above which it counts no more; None for none.
    """

    layer: str
    objective_name: ObjectiveName
    prior: StatisticsPrior | None = None
    diversity: float = 0.0
    compared_layer: str = ""
    pairs: bool = False
    alignment: float = 0.0
    limit: float | None = None

    @property
    def couples_images(self) -> bool:
        """A picture depends on the others of its batch."""
        return bool(self.diversity or self.alignment)

    @property
    def layers(self) -> Sequence[str]:
        """The units' layer, those of the prior, and that of the difference."""
        others = (
            *(self.prior.channels if self.prior else ()),
            *([self.compared_layer] if self.compared_layer else ()),
        )
        return tuple(dict.fromkeys((self.layer, *others)))

    @property
    def center_layer(self) -> str | None:
        """The units' layer, whose central position ``neuron`` looks at."""
        return self.layer

    def objective(self, targets: Tensor) -> Objective:
        """Of a batch, for targets [image, number]."""
        numbers = targets[:, :NUMBERS].cpu().numpy()
        channels, others = numbers[:, 0].astype(int).tolist(), numbers[:, OTHER].astype(int).tolist()
        found = self._activation(channels) * numbers[:, 1].tolist()
        if self.pairs:
            found = found + self._activation(others) * numbers[:, OTHER_WEIGHT].tolist()
        if self.limit is not None:
            found = at_most(found, self.limit)
        if self.prior is not None:
            found = found + self.prior.objective(targets[:, NUMBERS:])
        if self.diversity:
            found = found + self.diversity * diversity(self.compared_layer or self.layer)
        if self.alignment:
            found = found + self.alignment * alignment(self.compared_layer or self.layer)
        found = numbered(found, numbers[:, NUMBER].astype(int).tolist())
        return same_start(found) if self.alignment else found

    def _activation(self, channels: Sequence[int]) -> Objective:
        if self.layer == LOGITS:
            return probability(channels) if self.objective_name == "probability" else logit(channels)
        return channel(self.layer, channels) if self.objective_name == "channel" else neuron(self.layer, channels)

    def measure(self, network: Network, size: tuple[int, int]) -> "UnitMeasure":
        """The activation that is reached."""
        return UnitMeasure(network, self.layer, size)


class MapMeasure(ABC):
    """Measures pictures by their maps, in the mean over transforms that were held out."""

    def __init__(self, network: Network, layer: str, size: tuple[int, int]) -> None:
        """Prepare the network, in float32.

        Args:
            network: on the device where pictures are measured.
            layer: dotted module path, or :data:`~pipeline.core.layer_names.LOGITS`.
            size: (height, width) of the pictures, pixels.
        """
        self._layer = layer
        self._extractor = FeatureExtractor(network, [layer], size, "float32", size_setting="units.size")
        self._center = self._extractor.center(layer)

    @abstractmethod
    def scores(self, maps: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """What is measured under one transform, by name, [image] each.

        Args:
            maps: of the layer, [image, channel, y, x]; those of the logits have one position.
            targets: of the pictures, [image, number].
        """

    def __call__(self, images: Tensor, targets: Tensor) -> Measured:
        """Measure stored pictures.

        Args:
            images: uint8 [image, y, x, 3].
            targets: [image, number].

        Returns:
            The scores, and the mean activation over map and transforms.
        """
        pixels = images.movedim(-1, 1).float() / 255
        found: list[dict[str, Tensor]] = []
        means: list[Tensor] = []
        with torch.no_grad():
            for matrix in held_out_matrices((pixels.shape[2], pixels.shape[3]), self._center).to(pixels):
                transformed = resample(pixels, matrix.expand(len(pixels), 2, 3), self._extractor.size)
                output = self._extractor(transformed)[self._layer].float()
                maps = output[:, :, None, None] if self._layer == LOGITS else output
                found.append(self.scores(maps, targets))
                means.append(maps.mean((2, 3)))
        return Measured(
            {name: _mean([one[name] for one in found]).cpu().numpy() for name in found[0]}, _mean(means).cpu().numpy()
        )


def _mean(values: Sequence[Tensor]) -> Tensor:
    """Added one by one: a sum over all of them at once rounds differently at different places of the batch."""
    return sum(values[1:], values[0]) / len(values)


class UnitMeasure(MapMeasure):
    """Measures pictures by the activation of their channels.

    Score ``activation`` is the highest activation of the channel over the map, or the lowest one where the weight is
    negative; ``other_activation`` the same of the second channel.
    """

    def scores(self, maps: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """For targets as in :class:`UnitPurpose`."""
        row, found = torch.arange(len(targets), device=targets.device), {}
        for name, at in (("activation", 0), ("other_activation", OTHER)):
            sign = torch.where(targets[:, at + 1] < 0, -1.0, 1.0)
            found[name] = sign * (sign[:, None] * maps[row, targets[:, at].long()].flatten(1)).amax(1)
        return found


@dataclass(frozen=True, eq=False)
class PictureRequest:
    """A picture that is wanted.

    Attributes:
        channel: the unit.
        weight: of its activation; negative where it shall be low.
        statistics: that it is pulled to, [statistic].
        number: among the pictures of one target.
        group: pictures of one group are rendered together; None alone.
        other: a second unit and the weight of its activation.
        parent: the image it starts from, uint8 [y, x, 3]; None starts from noise.
    """

    channel: int
    weight: float
    statistics: Floats
    number: int = 0
    group: Hashable = None
    other: tuple[int, float] = (0, 0.0)
    parent: NDArray[np.uint8] | None = None

    @property
    def target(self) -> Floats:
        """See :class:`UnitPurpose`."""
        numbers = np.array([self.channel, self.weight, *self.other, self.number], np.float32)
        return np.concatenate([numbers, self.statistics])

    def key(self, base: bytes, attempt: int) -> str:
        """Of the finished picture.

        Args:
            base: see :func:`pipeline.featurevis.cache.base_digest`.
            attempt: counted from 0.
        """
        return image_key(base, self.target, attempt, parent_digest(self.parent))


def parent_digest(parent: NDArray[np.uint8] | None) -> str | None:
    """SHA-256 (hex) of the image that a picture starts from; None where it starts from noise."""
    return None if parent is None else sha256(parent.tobytes()).hexdigest()


def picture_requests(
    channel: int,
    high: float,
    low: float,
    statistics: Floats,
    clusters: Clusters | None,
    settings: UnitsSettings,
    group: int,
) -> Iterator[tuple[Role, PictureRequest]]:
    """The pictures of a unit: none that the images give no example of.

    Args:
        channel: the unit.
        high: its highest activation in the images. Above zero it gets pictures of high activation.
        low: its lowest one. Below zero it gets a picture of low activation.
        statistics: of its strongest patches, [patch, statistic].
        clusters: of these; None where there are fewer than two.
        settings: of the stage.
        group: of the diverse pictures.
    """
    every = statistics.mean(axis=0)
    if high > 0:
        weight = settings.weight / (1.0 if settings.objective == "probability" else high)
        yield "high", PictureRequest(channel, weight, every)
        if clusters is not None and clusters.count > 1 and statistics.shape[1]:  # which alone tell facets apart
            for facet in range(min(clusters.count, settings.facets)):
                yield "facet", PictureRequest(channel, weight, statistics[clusters.cluster == facet].mean(axis=0))
        for number in range(settings.diverse):
            yield "diverse", PictureRequest(channel, weight, every, number, group)
    if low < 0 and settings.objective != "probability":
        yield "low", PictureRequest(channel, settings.weight / low, every)
