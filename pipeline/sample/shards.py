"""Tasks of the stage: the images are split so that one task writes one shard of every layer's arrays.

A shard holds a whole number of batches, and batches are counted from the first image of all, so what is in a batch
depends on the batch size alone: neither on workers, nor on what was computed before.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import zarr
from numpy.typing import NDArray
from torch import Tensor

from pipeline.config.images import ImagesSettings
from pipeline.config.sample import SampleSettings
from pipeline.core.errors import DataError
from pipeline.core.malloc import keep_memory
from pipeline.core.zarr_store import write_shards
from pipeline.images.crops import network_crop, relative_positions
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import ManifestImages, read_manifest
from pipeline.model.description import LayerShape
from pipeline.model.inputs import input_batches, to_tensor
from pipeline.model.layers import require_layer
from pipeline.model.network import Network, load_network
from pipeline.model.positions import map_positions
from pipeline.sample import baseline
from pipeline.sample.attribution import Block, Method, sample_batch
from pipeline.sample.attribution_method import attribution_method
from pipeline.sample.forward import ParallelForward, parallel_batches
from pipeline.sample.stats import ActivationStats, activation_stats

MIN_BATCHES = 8  # of a task: writing its files then takes little time beside the network's work
MAX_TASKS = 32  # of a run, if memory allows: enough for many workers, and files of a layer by the tens
BUFFER_BYTES = 2**29  # of all the rows that a task holds before it writes them
IMAGES_PER_BLOCK = 4096  # whose positions are computed together
STORED = ("activation", "attribution")  # arrays that need the network, in the configured number type
PREDICTION = "prediction"  # likewise, of whole numbers; the others follow from the manifest


@dataclass(frozen=True)
class Sharding:
    """All images, split into tasks.

    Attributes:
        images: how many there are.
        images_per_task: the last task may have fewer.
        positions_per_image: rows that each image gives.
    """

    images: int
    images_per_task: int
    positions_per_image: int

    @property
    def rows(self) -> int:
        """Rows of the whole array."""
        return self.images * self.positions_per_image

    @property
    def shard_rows(self) -> int:
        """Rows of a shard."""
        return self.images_per_task * self.positions_per_image

    def tasks(self) -> list[range]:
        """The images of each task."""
        starts = range(0, self.images, self.images_per_task)
        return [range(start, min(start + self.images_per_task, self.images)) for start in starts]


def shard_images(images: int, batch_size: int, positions_per_image: int, row_bytes: int) -> Sharding:
    """Split the images into tasks.

    Args:
        images: how many there are.
        batch_size: images in one forward pass.
        positions_per_image: rows that each image gives.
        row_bytes: bytes of one row, all arrays of all layers together.
    """
    n_batches = -(-images // batch_size)
    wanted = max(MIN_BATCHES, -(-n_batches // MAX_TASKS))
    possible = max(1, BUFFER_BYTES // max(1, batch_size * positions_per_image * row_bytes))
    return Sharding(images, min(wanted, possible) * batch_size, positions_per_image)


def image_rows(images: int, each: int) -> NDArray[np.int64]:
    """[row] the image of each row; ``each`` rows for an image."""
    return np.repeat(np.arange(images, dtype=np.int64), each)


def position_rows(shape: LayerShape, seed: int, digests: Sequence[str], each: int, border: int) -> NDArray[np.int32]:
    """[row, 2] the position (y, x) of each row in the layer's map.

    Args:
        shape: of the layer.
        seed: of the run.
        digests: of the images.
        each: rows of an image.
        border: positions left out at each side of the map.
    """
    found = np.empty((len(digests) * each, 2), np.int32)
    for start in range(0, len(digests), IMAGES_PER_BLOCK):
        places = relative_positions(seed, digests[start : start + IMAGES_PER_BLOCK], each)
        positions = map_positions(places, shape.height, shape.width, border).reshape(-1, 2)
        found[start * each : start * each + len(positions)] = positions
    return found


@dataclass(frozen=True)
class SampleTask:
    """A task, as it is sent to a worker.

    Attributes:
        number: of the shard.
        images: rows of the manifest.
        layers: those whose shards are missing.
        methods: of their attributions.
    """

    number: int
    images: range
    layers: tuple[str, ...]
    methods: Mapping[str, Method] = field(default_factory=dict)


@dataclass(frozen=True)
class WrittenShards:
    """What a task has written for one layer.

    Attributes:
        checksums: of its files, see :func:`pipeline.core.zarr_store.write_shards`.
        stats: of its rows.
    """

    checksums: Mapping[str, str]
    stats: ActivationStats


@dataclass(frozen=True, eq=False)
class SamplerSpec:
    """Everything that a worker needs to make a :class:`Sampler`; small enough to be sent.

    Attributes:
        manifest, model: paths, the same for all workers.
        images: settings of the image set as written: a worker resolves references to environment variables.
        max_pixels: of an image.
        folders: where each layer's artifact is computed.
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

    def __init__(self, spec: SamplerSpec) -> None:
        """Load the network and open the image set.

        Raises:
            AtlasError: one of them is missing or has changed.
        """
        self._spec = spec
        self._settings = spec.settings
        if self._settings.device == "cpu":
            keep_memory()
        self._network = load_network(spec.model, self._settings.device)
        count = parallel_batches(self._settings.device, self._settings.attribution)
        self._forward = ParallelForward(self._network, count, self._settings.attribution)
        manifest = read_manifest(spec.manifest)
        self._images = ManifestImages(manifest, open_image_set(spec.images), spec.max_pixels)

    def attribution_methods(self, layers: Sequence[str]) -> dict[str, tuple[Method, str | None]]:
        """How the attributions of each layer are computed, see :func:`attribution_method`."""
        module, crop = self._network.module, self._network.preprocessing.crop
        return {
            layer: attribution_method(module, layer, shape, crop, self._settings)
            for layer, shape in self._shapes(layers).items()
        }

    def blocks(self, task: SampleTask) -> Iterator[tuple[slice, dict[str, Block]]]:
        """Sample the images of a task batch by batch: (slice of the rows of all these images, block by layer)."""
        settings, images = self._settings, task.images
        shapes, baselines = self._shapes(task.layers), self._baselines(task.layers)
        digests = self._images.manifest.digest[images.start : images.stop]
        each = settings.positions_per_image

        def sample(network: Network, batch: tuple[range, Tensor]) -> tuple[slice, dict[str, Block]]:
            span, inputs = batch
            places = relative_positions(self._spec.seed, digests[span.start : span.stop], each)
            blocks = sample_batch(network, shapes, inputs, places, settings, baselines, task.methods)
            return slice(span.start * each, span.stop * each), blocks

        yield from self._forward.map(sample, self._inputs(images, settings.batch_size))

    def sum_of_means(self, task: baseline.BaselineTask) -> dict[str, NDArray[np.float64]]:
        """The layers' sums over the images of a task of the baseline, see :func:`baseline.sum_of_means`."""
        inputs = (image for _, image in self._inputs(task.images, 1))
        return baseline.sum_of_means(self._network, self._shapes(task.layers), inputs, self._settings)

    def write(self, task: SampleTask) -> dict[str, WrittenShards]:
        """Sample the images of a task and write its shards; by layer."""
        rows = len(task.images) * self._settings.positions_per_image
        buffers: dict[str, dict[str, NDArray[Any]]] = {layer: {} for layer in task.layers}
        stats = dict.fromkeys(task.layers, ActivationStats())
        for where, blocks in self.blocks(task):
            for layer, block in blocks.items():
                stats[layer] += activation_stats(block)
                computed = {
                    name: to_storage(block[name], self._settings.storage, layer, name)
                    for name in STORED
                    if name in block
                }
                if PREDICTION in block:
                    computed[PREDICTION] = block[PREDICTION]
                for name, values in computed.items():
                    buffer = buffers[layer].setdefault(name, np.empty((rows, *values.shape[1:]), values.dtype))
                    buffer[where] = values
        start = task.images.start * self._settings.positions_per_image
        return {
            layer: WrittenShards(write_shards(self._spec.folders[layer], buffers.pop(layer), start), stats[layer])
            for layer in task.layers
        }

    def _shapes(self, layers: Sequence[str]) -> dict[str, LayerShape]:
        return {layer: require_layer(layer, self._network.layers) for layer in layers}

    def _baselines(self, layers: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The baseline of each layer, [channel]; none without attributions."""
        if not self._settings.attribution:
            return {}
        if self._settings.baseline == "zero":
            return {layer: np.zeros(shape.channels, np.float32) for layer, shape in self._shapes(layers).items()}
        paths = {layer: self._spec.folders[layer] / baseline.ARRAY for layer in layers}
        return {layer: np.asarray(zarr.open_array(path, mode="r")[...], np.float32) for layer, path in paths.items()}

    def _inputs(self, images: Sequence[int], size: int) -> Iterator[tuple[range, Tensor]]:
        """Network input of the images in order, ``size`` at a time: (span of their numbers, [image, 3, y, x])."""
        preprocessing = self._network.preprocessing

        def load_input(number: int) -> Tensor:
            return to_tensor(network_crop(self._images.load(images[number]), preprocessing), preprocessing)

        return input_batches(load_input, len(images), size, self._settings.device)


def find_methods(sampler: Sampler, layers: tuple[str, ...]) -> dict[str, tuple[Method, str | None]]:
    """How the attributions of layers are computed, tried in a worker: where and how they will be."""
    return sampler.attribution_methods(layers)


def sum_images(sampler: Sampler, task: baseline.BaselineTask) -> dict[str, list[float]]:
    """One task of the baseline, in a worker; exact as JSON."""
    return {layer: sums.tolist() for layer, sums in sampler.sum_of_means(task).items()}


def sample_shard(sampler: Sampler, task: SampleTask) -> dict[str, WrittenShards]:
    """One task, in a worker."""
    return sampler.write(task)


def to_storage(
    values: NDArray[np.float32], storage: Literal["float16", "float32"], layer: str, what: str
) -> NDArray[Any]:
    """The values in the number type that they are stored in.

    Float16 keeps 11 significant bits: a number of 6e-5 to 65504 changes by at most 2^-11 of itself, a smaller one by at
    most 2^-25. What that costs was measured on a real SqueezeNet, and is tested there: means keep a cosine of 0.999999;
    the strongest class of a sample stays the strongest in 99.8 % of samples at features.7, and 99.9 % of its ten
    strongest classes stay among them. Where two classes change places their attributions were equal but for 2^-11.

    Args:
        values: any shape.
        storage: the number type.
        layer: its name, for messages.
        what: the array's name, for messages.

    Raises:
        DataError: a value is not finite, or too large for the number type.
    """
    if storage == "float32":
        found: NDArray[Any] = values
    else:
        found = torch.from_numpy(values).half().numpy()  # several times as fast as NumPy's cast, with the same bits
    if np.isfinite(found).all():
        return found
    not_finite = values[~np.isfinite(values)]
    worst = float(not_finite[0]) if len(not_finite) else float(values.flat[np.abs(values).argmax()])
    if np.isfinite(worst):
        raise DataError(
            f"{layer}: expected {what}s of at most 65504, as half precision holds them, found {worst:g}; use "
            "sample.storage=float32"
        )
    raise DataError(f"{layer}: expected finite {what}s, found {worst:g}; check the weights and the preprocessing")
