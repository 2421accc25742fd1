"""Patches of samples: the squares of the input around them, as large as the network sees icons, measured by workers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pipeline.config.images import ImagesSettings
from pipeline.core.layer_names import LOGITS
from pipeline.images.crops import crop_around, network_crop
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import ManifestImages, read_manifest
from pipeline.model.description import LayerShape, NetworkDescription, describe_network
from pipeline.model.inputs import input_batches
from pipeline.model.network import Network, load_network, output_shape
from pipeline.parallel.pool import Pool

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
PATCHES_PER_TASK = 256
BATCH = 32  # pictures in one forward pass; the last one is filled up
CACHED_CROPS = 16  # patches come in the order of their images


@dataclass(frozen=True, eq=False)
class Samples:
    """Some samples of a layer.

    Attributes:
        image: row of each one's image, [sample].
        position: (y, x) in the layer's map, [sample, 2].
    """

    image: NDArray[np.int64]
    position: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.image)

    def __getitem__(self, rows: "NDArray[np.integer] | slice") -> "Samples":
        return Samples(self.image[rows], self.position[rows])


class Measurement(Protocol):
    """Measures patches, in a worker."""

    def __call__(self, samples: Samples) -> Floats:
        """Numbers of each sample's patch, [sample, number]."""


MeasurementSpec = Callable[[], Measurement]


@dataclass(frozen=True, eq=False)
class PatchesSpec:
    """Everything that :class:`Patches` are cut from; small enough to travel to a worker.

    Attributes:
        model: folder of the saved network, at the same path for all workers.
        manifest: path of the list of images.
        images: settings of the image set as written: a worker resolves references to environment variables.
        layer: whose samples they are, dotted module path.
        size: side of an icon, pixels.
    """

    model: Path
    manifest: Path
    images: ImagesSettings
    layer: str
    size: int

    def open(self, network: Network | NetworkDescription) -> "Patches":
        """The patches, in a worker.

        Args:
            network: the saved one, on any device, or its description.
        """
        images = ManifestImages(read_manifest(self.manifest), open_image_set(self.images))
        return Patches(
            lambda row: network_crop(images.load(row), network.preprocessing), network, self.layer, self.size
        )

    def describe_network(self) -> NetworkDescription:
        """The saved network without its weights."""
        return describe_network(self.model)

    def load_network(self, device: str) -> Network:
        """The saved network."""
        return load_network(self.model, device)


class Patches:
    """The patches of a layer's samples."""

    def __init__(
        self, crop: Callable[[int], Image.Image], network: Network | NetworkDescription, layer: str, size: int
    ) -> None:
        """No image is opened yet.

        Args:
            crop: returns the network's crop of the image in a row.
            network: whose input it is.
            layer: whose samples they are, dotted module path, or
                :data:`~pipeline.model.description.LOGITS`, whose only patch is the whole input.
            size: side of an icon, pixels. A network of tokens sees icons enlarged to its whole input.
        """
        self._crop = lru_cache(CACHED_CROPS)(crop)
        self._shape: LayerShape = output_shape(layer, network)
        whole = self._shape.is_tokens or layer == LOGITS
        self.side = network.preprocessing.crop if whole else size

    def __call__(self, image: int, position: NDArray[np.int32]) -> Pixels:
        """The patch around a sample, uint8 [side, side, 3]; an input that is smaller than a patch is enlarged to it.

        Args:
            image: row of the sample's image.
            position: (y, x) in the layer's map.
        """
        whole = self._crop(image)
        side, map_size = min(self.side, whole.width), (self._shape.height, self._shape.width)
        at = crop_around((int(position[0]), int(position[1])), map_size, side, whole.width)
        patch = whole.crop((at.left, at.top, at.left + side, at.top + side))
        if side < self.side:
            patch = patch.resize((self.side, self.side), Image.Resampling.BILINEAR)
        return np.array(patch)


def measured_in_batches(
    count: int, picture: Callable[[int], Pixels], device: str, measure: Callable[[Tensor], Tensor]
) -> Floats:
    """What ``measure`` finds on pictures, [picture, number], in batches that are all computed alike.

    Args:
        count: of pictures, at least one.
        picture: returns a picture by its number, uint8 [y, x, 3], all of one size.
        device: where to measure.
        measure: numbers [picture, number] of pictures [picture, 3, y, x] in 0..1; needs no gradient.
    """

    def load(number: int) -> Tensor:
        return torch.from_numpy(np.array(picture(number))).movedim(-1, 0)

    found = []
    for span, pixels in input_batches(load, count, BATCH, device):
        rows = torch.arange(BATCH).clamp(max=len(span) - 1)
        with torch.no_grad():
            found.append(measure(pixels[rows].to(device).float() / 255)[: len(span)].cpu().numpy())
    return np.concatenate(found)


def measured(pool: Pool, spec: MeasurementSpec, samples: Samples) -> Iterator[tuple[range, Floats]]:
    """What a measurement finds on samples' patches, part by part in their order, whatever the workers' order.

    Args:
        pool: the workers.
        spec: makes the measurement, in a worker.
        samples: whose patches are measured.
    """
    spans = [
        range(start, min(start + PATCHES_PER_TASK, len(samples))) for start in range(0, len(samples), PATCHES_PER_TASK)
    ]
    tasks = [samples[span.start : span.stop] for span in spans]
    waiting: dict[int, Floats] = {}
    following = 0
    for index, found in pool.map_unordered(_measure, tasks, spec):
        waiting[index] = found
        while following in waiting:
            yield spans[following], waiting.pop(following)
            following += 1


def cell_means(pool: Pool, spec: MeasurementSpec, samples: Samples, cells: Sequence[NDArray[np.int64]]) -> list[Floats]:
    """The mean of what a measurement finds on the patches of each cell's samples, for each level [cell, number].

    Args:
        pool: the workers.
        spec: makes the measurement, in a worker.
        samples: all of the layer.
        cells: of each level, rows of each cell's samples, [cell, rank]; -1 for none. NaN where a cell has none.
    """
    counts = [len(rows) for rows in cells]
    row = np.concatenate([rows.ravel() for rows in cells])
    owner = np.repeat(np.arange(sum(counts)), np.repeat([rows.shape[1] for rows in cells], counts))
    owner, row = owner[row >= 0], row[row >= 0]
    order = np.argsort(row, kind="stable")  # a patch is cut once for all cells, and an image is opened once
    owner, row = owner[order], row[order]
    distinct, first = np.unique(row, return_index=True)
    bounds = np.append(first, len(row))
    sums = np.zeros((sum(counts), 0), np.float32)
    for span, found in measured(pool, spec, samples[distinct]):
        if not span.start:
            sums = np.zeros((sum(counts), found.shape[1]), np.float32)
        of_patch = np.repeat(np.arange(len(span)), np.diff(bounds[span.start : span.stop + 1]))
        np.add.at(sums, owner[bounds[span.start] : bounds[span.stop]], found[of_patch])
    own = np.bincount(owner, minlength=sum(counts)).astype(np.float32)
    means = sums / np.where(own, own, np.nan)[:, None]
    return np.split(means.astype(np.float32), np.cumsum(counts)[:-1])


def _measure(measurement: Measurement, samples: Samples) -> Floats:
    """In a worker."""
    return measurement(samples)
