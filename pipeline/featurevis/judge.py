"""The judge: a network that did not render the images, and which real patches it finds most like each of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from pipeline.config.model import ModelSettings
from pipeline.featurevis.sample_patches import Patches, PatchesSpec, Samples, measured_in_batches
from pipeline.model.configured_network import load_configured_network
from pipeline.model.description import LayerShape
from pipeline.model.inputs import normalize
from pipeline.model.layers import run_to_all
from pipeline.model.network import Network

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

DEPTHS = 4  # of the judge
DEEPEST = 2  # depths of the judge count
TINY = 1e-12
INPUT_SHARE = 0.5  # of the judge's input, for the side that patches and icons are resized to: they are parts of images


@dataclass(frozen=True, eq=False)
class JudgeSpec:
    """Everything that a :class:`Judge` is built from; small enough to travel to a worker.

    Attributes:
        judge: settings of the judge's network as written: a worker resolves references to environment variables.
        patches: of samples.
        device: where it runs.
    """

    judge: ModelSettings
    patches: PatchesSpec
    device: str

    def __call__(self) -> "Judge":
        """The judge, in a worker."""
        patches = self.patches.open(self.patches.describe_network())
        return Judge(load_configured_network(self.judge, "judge", self.device), patches, self.device)


class Judge:
    """What another network sees in patches and icons: the mean of each channel over the map, at several depths.

    Attributes:
        channels: at each depth.
    """

    def __init__(self, network: Network, patches: Patches, device: str) -> None:
        """Prepare.

        Args:
            network: the judge's, on ``device``.
            patches: of samples.
            device: where it runs.
        """
        self._layers = judge_layers(network.layers)
        self.channels = tuple(network.layers[layer].channels for layer in self._layers)
        tokens = any(network.layers[layer].is_tokens for layer in self._layers)
        crop = network.preprocessing.crop
        self._side = crop if tokens else max(1, round(INPUT_SHARE * crop))
        self._network, self._patches, self._device = network, patches, device
        self._module = network.module.to(memory_format=network.convention.memory_format)

    def __call__(self, samples: Samples) -> Floats:
        """Of the patches of samples, depth after depth, [sample, number]."""
        return self._features(
            len(samples), lambda number: self._patches(int(samples.image[number]), samples.position[number])
        )

    def icons(self, icons: Pixels) -> Floats:
        """Of icons uint8 [icon, y, x, 3], likewise."""
        return self._features(len(icons), lambda number: icons[number])

    def _features(self, count: int, picture: Callable[[int], Pixels]) -> Floats:
        return measured_in_batches(count, picture, self._device, self._means)

    def _means(self, images: Tensor) -> Tensor:
        """Of images [image, 3, y, x] in 0..1, [image, number]."""
        sides = (self._side, self._side)
        resized = interpolate(images, sides, mode="bilinear", align_corners=False, antialias=True)
        inputs = normalize(resized, self._network.preprocessing).contiguous(memory_format=torch.channels_last)
        outputs = run_to_all(self._module, self._layers, inputs)
        return torch.cat(
            [self._network.layers[layer].to_map(outputs[layer]).float().mean((2, 3)) for layer in self._layers], 1
        )


def judge_layers(layers: Mapping[str, LayerShape], depths: int = DEPTHS) -> list[str]:
    """Layers at the end of each quarter (or other part) of the judge, evenly spaced, ending with the last one.

    Blocks count, their inner modules do not; neither do maps of a single position.

    Args:
        layers: of the judge's network, in the order of the modules.
        depths: how many.
    """
    distinct: dict[object, str] = {}
    for name, shape in layers.items():
        if name.count(".") <= 1 and min(shape.height, shape.width) > 1:
            key = (shape, name) if shape.is_tokens or name.count(".") else shape
            distinct[key] = name
    found = [name for name in layers if name in set(distinct.values())]
    last = np.linspace(0, len(found), depths + 1).round().astype(int)[1:] - 1
    return list(dict.fromkeys(found[max(0, index)] for index in last))


@dataclass(frozen=True, eq=False)
class Recognition:
    """How pictures are assigned to cells, or to units, by a judge.

    Attributes:
        rank: at each depth, how many cells are nearer to a picture than its own, [depth, picture].
        cells: how many there are.
    """

    rank: NDArray[np.int64]
    cells: int

    @property
    def percentile(self) -> Floats:
        """Share of the other cells that are further away, [depth, picture], 0..1."""
        return np.asarray(1 - self.rank / max(1, self.cells - 1), np.float32)

    def top(self, count: int) -> Floats:
        """Whether a picture's own cell is among the nearest ``count``, [depth, picture], 0 or 1."""
        return np.asarray(self.rank < count, np.float32)


def recognition(features: Floats, prototypes: Floats, channels: Sequence[int]) -> Recognition:
    """Assign pictures to the cell of the nearest prototype, by the cosine of their deviations from either side's mean.

    Icons differ from photographs as a whole; taking off the mean of each side leaves what tells the cells apart.

    Args:
        features: of one picture for each cell, [cell, number]; see :class:`Judge`.
        prototypes: of the cells, in the same order.
        channels: at each depth.
    """
    ranks, start = [], 0
    for count in channels:
        pictures, cells = (
            _unit(one[:, start : start + count] - one[:, start : start + count].mean(0))
            for one in (features, prototypes)
        )
        cosine = pictures @ cells.T
        ranks.append((cosine > cosine.diagonal()[:, None]).sum(1))
        start += count
    return Recognition(np.stack(ranks), len(features))


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), TINY))
