"""What workers do for the stage: all that some images give, written as whole shards of every layer's artifact."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pipeline.core.malloc import keep_memory
from pipeline.core.zarr_store import write_shards
from pipeline.images.config import ImagesSettings
from pipeline.images.manifest import ManifestImages, read_manifest
from pipeline.images.open_set import open_image_set
from pipeline.images.places import relative_places
from pipeline.model import saved
from pipeline.model.batches import batches
from pipeline.model.layers import known_layer
from pipeline.model.network import Network
from pipeline.model.preprocessing import network_crop, to_tensor
from pipeline.sample.config import SampleSettings
from pipeline.sample.passes import Block, sample_batch
from pipeline.sample.storage import fit
from pipeline.sample.streams import Streams, stream_count
from pipeline.sample.tally import Tally, tally

STORED = ("activation", "attribution")  # what the network gives; the rest follows from the manifest


@dataclass(frozen=True)
class Order:
    """A task, as it travels to a worker.

    Attributes:
        number: of the shard.
        images: rows of the manifest.
        layers: those whose shards are missing.
    """

    number: int
    images: range
    layers: tuple[str, ...]


@dataclass(frozen=True)
class Written:
    """What a task has written of one layer.

    Attributes:
        shards: seals of its files, see :func:`pipeline.core.zarr_store.write_shards`.
        tally: of its rows.
    """

    shards: Mapping[str, str]
    tally: Tally


@dataclass(frozen=True, eq=False)
class Engagement:
    """Everything that a worker samples from; small enough to travel.

    Attributes:
        manifest, model: where they are, at the same paths for all workers.
        images: the image set.
        max_pixels: of an image.
        folders: where each layer's artifact grows.
        settings: of the stage.
        seed: of the run.
    """

    manifest: Path
    model: Path
    images: ImagesSettings
    max_pixels: int
    folders: Mapping[str, Path]
    settings: SampleSettings
    seed: int

    def __call__(self) -> "Sampler":
        """A sampler, in a worker."""
        return Sampler(self)


class Sampler:
    """The network and the images, in a worker."""

    def __init__(self, engagement: Engagement) -> None:
        """Load the network and open the image set.

        Raises:
            AtlasError: they are not there, or not what they were.
        """
        self._engagement = engagement
        self._settings = engagement.settings
        if self._settings.device == "cpu":
            keep_memory()
        self._network = saved.load(engagement.model, self._settings.device)
        count = stream_count(self._settings.device, self._settings.attribution)
        self._streams = Streams(self._network, count, self._settings.attribution)
        manifest = read_manifest(engagement.manifest)
        self._images = ManifestImages(manifest, open_image_set(engagement.images), engagement.max_pixels)

    def blocks(self, images: range, layers: Sequence[str]) -> Iterator[tuple[slice, dict[str, Block]]]:
        """Go through some images batch by batch: (their rows among all samples of these images, block by layer)."""
        settings = self._settings
        shapes = {layer: known_layer(layer, self._network.layers) for layer in layers}
        digests = self._images.manifest.digest[images.start : images.stop]
        each = settings.positions_per_image

        def load_input(number: int) -> Tensor:
            crop = network_crop(self._images.load(images[number]), self._network.preprocessing)
            return to_tensor(crop, self._network.preprocessing)

        def look(network: Network, batch: tuple[range, Tensor]) -> tuple[slice, dict[str, Block]]:
            span, inputs = batch
            places = relative_places(self._engagement.seed, digests[span.start : span.stop], each)
            return slice(span.start * each, span.stop * each), sample_batch(network, shapes, inputs, places, settings)

        decoded = batches(load_input, len(images), settings.batch_size, settings.device)
        yield from self._streams.map(look, decoded)

    def write(self, order: Order) -> dict[str, Written]:
        """All of a task, by layer."""
        rows = len(order.images) * self._settings.positions_per_image
        held: dict[str, dict[str, NDArray[Any]]] = {layer: {} for layer in order.layers}
        tallies = dict.fromkeys(order.layers, Tally())
        for where, found in self.blocks(order.images, order.layers):
            for layer, block in found.items():
                tallies[layer] += tally(block)
                for name in STORED:
                    if name in block:
                        values = fit(block[name], self._settings.storage, layer, name)
                        into = held[layer].setdefault(name, np.empty((rows, values.shape[1]), values.dtype))
                        into[where] = values
        start = order.images.start * self._settings.positions_per_image
        return {
            layer: Written(write_shards(self._engagement.folders[layer], held.pop(layer), start), tallies[layer])
            for layer in order.layers
        }


def sample_shard(sampler: Sampler, order: Order) -> dict[str, Written]:
    """One task, in a worker."""
    return sampler.write(order)
