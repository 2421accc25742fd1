"""How fast this machine works: a few seconds of what the stages themselves do."""

import io
from collections.abc import Sequence
from time import perf_counter

import numpy as np
import torch
import zarr
from torch import Tensor

from pipeline.core import store
from pipeline.core.artifacts import ACTIVATIONS
from pipeline.core.statistics import grouped_sums, row_blocks
from pipeline.featurevis.memory import bytes_per_image
from pipeline.featurevis.objectives import center_activations
from pipeline.featurevis.renderer import BatchRenderer, RenderRequest
from pipeline.featurevis.whitening import ActivationSpace
from pipeline.images.decode import load
from pipeline.images.image_set import Entry, ImageSet
from pipeline.images.places import relative_places
from pipeline.model.batches import batches
from pipeline.model.network import Network
from pipeline.model.preprocessing import network_crop, to_tensor
from pipeline.params import Params
from pipeline.plan.given import Drawing
from pipeline.plan.stand_in import picture
from pipeline.plan.stopwatch import Clock, enough, seconds_each, timed
from pipeline.render.config import RenderSettings
from pipeline.render.specification import renderer_spec
from pipeline.sample.passes import sample_batch

TILE = 512  # pixels
FEW, MORE = 1, 5  # gradient steps; the difference leaves out what is done once for each icon
ROWS, WIDTH, GROUPS = 2**15, 256, 1000
LARGEST = 64  # images that are decoded at most


class Decoding:
    """Images of a set, decoded as the stages do."""

    def __init__(self, images: ImageSet, entries: Sequence[Entry], params: Params, network: Network) -> None:
        """Choose a few images, spread over the set."""
        step = max(1, len(entries) // LARGEST)
        self._images, self._keys = images, [entry.key for entry in entries[::step][:LARGEST]]
        self._pixels, self._preprocessing = params.prepare.max_pixels, network.preprocessing

    def inputs(self, count: int) -> Tensor:
        """Network input of ``count`` images [image, 3, y, x], decoded in several threads."""
        return torch.cat([block for _, block in batches(self._input, count, count)])

    def list_all(self, count: int) -> None:
        """``count`` images decoded and digested one after the other."""
        for number in range(count):
            self._input(number)
            self._images.digest(self._key(number))

    def _input(self, number: int) -> Tensor:
        image = load(lambda: self._images.open(self._key(number)), self._pixels)
        return to_tensor(network_crop(image, self._preprocessing), self._preprocessing)

    def _key(self, number: int) -> str:
        return self._keys[number % len(self._keys)]


def sample_seconds(network: Network, params: Params, inputs: Tensor, clock: Clock = perf_counter) -> float:
    """Seconds of an image in the passes of the stage ``sample``, attributions included where they are wanted."""
    settings = params.sample
    digests = [f"{number:064x}" for number in range(len(inputs))]

    def passes(count: int) -> None:
        places = relative_places(params.seed, digests[:count], settings.positions_per_image)
        sample_batch(network, network.layers, inputs[:count], places, settings)

    return seconds_each(passes, len(inputs), clock)


def evaluate_seconds(network: Network, inputs: Tensor, clock: Clock = perf_counter) -> float:
    """Seconds of an image in a plain pass."""

    def plain(count: int) -> None:
        with torch.no_grad():
            network.module(inputs[:count]).cpu()

    return seconds_each(plain, len(inputs), clock)


def drawing(network: Network, layer: str, params: Params, wanted: bool, clock: Clock = perf_counter) -> Drawing:
    """How fast icons of a layer are drawn where that is wanted, and the memory that each takes."""
    settings = params.render.for_layer(layer)
    step, rest = _step_and_rest(network, layer, settings, clock) if wanted else (0.0, 0.0)
    mean = np.zeros(network.layers[layer].channels, np.float32)
    spec = renderer_spec(settings, layer, ActivationSpace(mean, None), mean, seed=0)
    extractor, images = spec.extractor(network), spec.parameterization

    def activation(parameters: Tensor) -> Tensor:
        return center_activations(extractor(images.decode(parameters))[layer]).sum(1)

    taken = bytes_per_image(activation, images.shape, settings.device)
    return Drawing(step, rest, taken)


def _step_and_rest(network: Network, layer: str, settings: RenderSettings, clock: Clock) -> tuple[float, float]:
    """Seconds of one icon for each of its steps, and for all else."""
    mean = np.zeros(network.layers[layer].channels, np.float32)

    def draw(count: int, steps: int) -> None:
        some = settings.model_copy(update={"steps": steps, "batch_size": count})
        targets = np.random.default_rng(0).random((count, len(mean)), dtype=np.float32)
        renderer = BatchRenderer(network, renderer_spec(some, layer, ActivationSpace(mean, None), mean, seed=0))
        renderer.render([RenderRequest("", target) for target in targets])

    size, more = enough(lambda count: draw(count, MORE), settings.batch_size, clock)
    few = timed(lambda count: draw(count, FEW), size, clock)
    # a hiccup of the machine may turn the two around; then all of the time counts as that of steps
    step = (more - few) / (MORE - FEW) if more > few else more / MORE
    return step / size, max(few - FEW * step, 0.0) / size


def summed_numbers(clock: Clock = perf_counter) -> float:
    """Numbers a second that are read from shards and added up over the cells of a grid."""
    group = zarr.create_group(store=zarr.storage.MemoryStore(), zarr_format=3)
    random = np.random.default_rng(0)
    values = random.standard_normal((ROWS, WIDTH), dtype=np.float32).clip(0)
    store.write_array(group, ACTIVATIONS, "activation", values)
    cells = random.integers(0, GROUPS, ROWS)
    began = clock()
    blocks = (
        (np.arange(start, start + len(rows)), rows) for start, rows in row_blocks(store.array(group, "activation"))
    )
    grouped_sums(blocks, cells, GROUPS, WIDTH)
    return ROWS * WIDTH / (clock() - began)


def encoded_pixels(kind: str, quality: int, clock: Clock = perf_counter) -> float:
    """Pixels of tiles a second."""
    tile = picture(TILE, TILE, seed=1)

    def encode(count: int) -> None:
        for _ in range(count):
            tile.save(io.BytesIO(), kind, quality=quality)

    return TILE * TILE / seconds_each(encode, 16, clock)
