"""Pictures of vectors over the channels of a layer: weighted sums of channels, directions, and whole layers.

A vector with one entry is a channel; see :mod:`pipeline.units.pictures` for these.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pipeline.featurevis.activation_space import activation_space
from pipeline.featurevis.cache import image_key
from pipeline.featurevis.composition import Objective, at_most
from pipeline.featurevis.exemplar_statistics import StatisticsPrior
from pipeline.featurevis.objectives import deep_dream, direction, linear
from pipeline.model.network import Network
from pipeline.units.pictures import MapMeasure, parent_digest

Floats = NDArray[np.float32]
Kind = Literal["sum", "center", "direction", "layer"]


@dataclass(frozen=True, eq=False)
class VectorPurpose:
    """Pictures of vectors; see :class:`pipeline.featurevis.renderer.Purpose`.

    A target is a row: the vector, and the feature statistics that the picture is pulled to.

    Attributes:
        layer: dotted module path, or :data:`~pipeline.model.description.LOGITS`.
        mean: of the layer's activations, [channel].
        kind: ``sum``, the dot product with the vector, in the mean over the map, or at its ``center``; ``direction``,
            the dot product times a power of the cosine, both of the map's mean activation less that of the layer; or
            ``layer``, the mean square of all activations, whatever the vector.
        cosine_power: of a direction.
        weight: of the objective beside regularizers and prior.
        prior: pull towards the feature statistics of real patches; None for none.
        limit: of the value, above which it counts no more; None for none.
    """

    layer: str
    mean: Floats
    kind: Kind
    cosine_power: float = 0.0
    weight: float = 1.0
    prior: StatisticsPrior | None = None
    limit: float | None = None

    couples_images = False

    @property
    def layers(self) -> Sequence[str]:
        """The layer of the vectors and those of the prior."""
        return tuple(dict.fromkeys((self.layer, *(self.prior.channels if self.prior else ()))))

    @property
    def center_layer(self) -> str | None:
        """The layer of the vectors."""
        return self.layer

    def objective(self, targets: Tensor) -> Objective:
        """Of a batch, for targets [image, number]."""
        vectors = targets[:, : len(self.mean)]
        found = self.weight * self._value(vectors)
        if self.limit is not None:
            found = at_most(found, self.limit)
        if self.prior is not None:
            found = found + self.prior.objective(targets[:, len(self.mean) :])
        return found

    def _value(self, vectors: Tensor) -> Objective:
        if self.kind == "layer":
            return deep_dream(self.layer)
        if self.kind == "direction":
            space = activation_space("centered", self.mean)
            return direction(self.layer, vectors, space, self.cosine_power, "mean")
        return linear(self.layer, vectors, "center" if self.kind == "center" else "mean")

    def measure(self, network: Network, size: tuple[int, int]) -> "VectorMeasure":
        """The dot product that is reached."""
        return VectorMeasure(network, self.layer, size)


class VectorMeasure(MapMeasure):
    """Measures pictures by the highest dot product over the map of their activation with a vector: ``activation``."""

    def scores(self, maps: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """For targets as in :class:`VectorPurpose`."""
        vectors = targets[:, : maps.shape[1], None, None]
        return {"activation": (maps * vectors).sum(1).flatten(1).amax(1)}


@dataclass(frozen=True, eq=False)
class VectorRequest:
    """A picture of a vector that is wanted.

    Attributes:
        vector: over the channels of the layer, [channel].
        statistics: that the picture is pulled to, [statistic]; empty without a prior.
        parent: the image it starts from, uint8 [y, x, 3]; None starts from noise.
        group: None; pictures of vectors do not depend on each other.
    """

    vector: Floats
    statistics: Floats
    parent: NDArray[np.uint8] | None = None
    group: Hashable = None

    @property
    def target(self) -> Floats:
        """See :class:`VectorPurpose`."""
        return np.concatenate([self.vector, self.statistics]).astype(np.float32)

    def key(self, base: bytes, attempt: int) -> str:
        """Of the finished picture.

        Args:
            base: see :func:`pipeline.featurevis.cache.base_digest`.
            attempt: counted from 0.
        """
        return image_key(base, self.target, attempt, parent_digest(self.parent))
