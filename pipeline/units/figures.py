"""Figures of a unit: how much its strongest patches are alike, their clusters, and the nearest unit."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import silhouette_score
from torch import Tensor
from torch.nn.functional import interpolate

from pipeline.core.layer_names import LOGITS
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.sample_patches import Patches, PatchesSpec, Samples, measured_in_batches
from pipeline.model.description import LayerShape

MAX_CLUSTERS = 4
MIN_SILHOUETTE = 0.15  # below it the patches are one cluster
MIN_CLUSTER = 3  # patches

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EmbeddingSpec:
    """Everything that :class:`Embedding` is built from; small enough to travel to a worker.

    Attributes:
        patches: of the units' strongest positions.
        layer: whose mean activation over the map is the embedding: the network's deepest one.
        device: where it runs.
        side: that patches are resized to, pixels; None for that of the network's input.
    """

    patches: PatchesSpec
    layer: str
    device: str
    side: int | None = None

    def __call__(self) -> "Embedding":
        """The embedding, in a worker."""
        network = self.patches.load_network(self.device)
        patches = self.patches.open(network)
        side = self.side or network.preprocessing.crop
        size = (side, side)
        return Embedding(patches, FeatureExtractor(network, [self.layer], size, "float32"), self.layer, self.device)


class Embedding:
    """The network's own embedding of patches, enlarged to its input."""

    def __init__(self, patches: Patches, extractor: FeatureExtractor, layer: str, device: str) -> None:
        """Prepare.

        Args:
            patches: of samples.
            extractor: of the layer.
            layer: dotted module path.
            device: of the extractor.
        """
        self._patches, self._extractor, self._layer, self._device = patches, extractor, layer, device

    def __call__(self, samples: Samples) -> Floats:
        """Mean activations of the patches, [sample, channel]."""

        def embed(images: Tensor) -> Tensor:
            resized = interpolate(images, self._extractor.size, mode="bilinear", antialias=True, align_corners=False)
            output = self._extractor(resized)[self._layer].float()
            return output if self._layer == LOGITS else output.mean((2, 3))

        return measured_in_batches(
            len(samples),
            lambda number: self._patches(int(samples.image[number]), samples.position[number]),
            self._device,
            embed,
        )


@dataclass(frozen=True, eq=False)
class Clusters:
    """A unit's strongest patches by likeness.

    Attributes:
        clarity: mean cosine between the embeddings of two patches, each minus the mean over all units' patches; -1..1,
            NaN of a single patch.
        cluster: of each patch, [patch], counted from 0 by falling size; of equal sizes the one with the strongest
            patch comes first.
        silhouette: mean silhouette of the clusters by cosine, -1..1; NaN of a single cluster.
    """

    clarity: float
    cluster: NDArray[np.int64]
    silhouette: float

    @property
    def count(self) -> int:
        """How many clusters there are."""
        return int(self.cluster.max(initial=-1)) + 1


def cluster_patches(embedding: Floats, mean: Floats) -> Clusters:
    """Cluster a unit's strongest patches by the cosine of their embeddings.

    The number of clusters, at most :data:`MAX_CLUSTERS`, has the largest mean silhouette (Rousseeuw 1987) among those
    whose clusters all have :data:`MIN_CLUSTER` patches; below :data:`MIN_SILHOUETTE` there is one cluster.

    Args:
        embedding: of the patches from the strongest, [patch, channel].
        mean: over the patches of all units, [channel].
    """
    centered = (embedding - mean).astype(np.float64)
    unit = centered / np.maximum(np.linalg.norm(centered, axis=1, keepdims=True), 1e-12)
    count = len(unit)
    cosine = unit @ unit.T
    clarity = float((cosine.sum() - np.trace(cosine)) / (count * (count - 1))) if count > 1 else float("nan")
    distance = np.clip(1 - cosine, 0, 2)
    np.fill_diagonal(distance, 0)
    best, found = MIN_SILHOUETTE, np.zeros(count, np.int64)
    for clusters in range(2, MAX_CLUSTERS + 1):
        if count < clusters * MIN_CLUSTER:
            break
        labels = AgglomerativeClustering(clusters, metric="precomputed", linkage="average").fit_predict(distance)
        if np.bincount(labels).min() < MIN_CLUSTER:
            continue
        score = float(silhouette_score(distance, labels, metric="precomputed"))
        if score > best:
            best, found = score, labels.astype(np.int64)
    several = bool(found.any())
    return Clusters(clarity, _by_size(found), best if several else float("nan"))


def _by_size(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same clusters numbered by falling size."""
    names, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    order = sorted(range(len(names)), key=lambda one: (-int(sizes[one]), int(first[one])))
    rank = np.empty(len(names), np.int64)
    rank[order] = np.arange(len(names))
    return rank[np.searchsorted(names, labels)]


def nearest_unit(correlations: Doubles, unit: int) -> tuple[int, float]:
    """The other channel whose activation is most correlated with the unit's, and the correlation, -1..1.

    Args:
        correlations: of the unit with every channel, [channel].
        unit: its own channel.

    Returns:
        -1 and NaN where the layer has one channel alone.
    """
    others = correlations.copy()
    others[unit] = -np.inf
    best = int(others.argmax())
    return (best, float(others[best])) if len(others) > 1 else (-1, float("nan"))


def embedding_layer(layers: Mapping[str, LayerShape], classes: int) -> str:
    """The deepest layer with positions whose channels are not the classes.

    Args:
        layers: of the network, in the order of its modules.
        classes: of the network.
    """
    names = list(layers)
    return next((name for name in reversed(names) if layers[name].channels != classes), names[-1])
