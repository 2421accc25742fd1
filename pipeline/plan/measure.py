"""The rates of this machine, measured in some seconds of what the stages do; rates that the user gives replace them.

Stand-ins take the place of what is not on this machine: synthetic images, and the configured network with random
weights.
"""

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from time import perf_counter

import numpy as np
import psutil
import torch
import zarr
from PIL import Image
from torch import Tensor

from pipeline.config.params import Params
from pipeline.config.render import RenderSettings
from pipeline.core import zarr_store
from pipeline.core.artifacts import ACTIVATIONS
from pipeline.core.moments import grouped_sums, row_blocks
from pipeline.featurevis.activation_space import ActivationSpace
from pipeline.featurevis.exemplar_statistics import prior_without_data
from pipeline.featurevis.memory import bytes_per_image
from pipeline.featurevis.renderer import BatchRenderer, RendererSpec, RenderRequest
from pipeline.images.crops import network_crop, relative_positions
from pipeline.images.decode import load
from pipeline.images.image_set import Entry, ImageSet
from pipeline.model.inputs import input_batches, to_tensor
from pipeline.model.network import Network
from pipeline.plan.check import check_device
from pipeline.plan.costs import sample_batch_bytes
from pipeline.plan.inputs import GivenRates, IconCost, Rates
from pipeline.plan.trial import UntriedNetwork, on_device
from pipeline.render.large_icons import large_renderer_spec
from pipeline.render.specification import renderer_spec
from pipeline.sample.attribution import sample_batch
from pipeline.sample.attribution_method import attribution_method

Clock = Callable[[], float]
Work = Callable[[int], object]

MIN_SECONDS = 0.5  # of a batch whose time is reliable
FEW, MORE = 1, 5  # gradient steps; the difference leaves out what an icon needs once
TILE = 512  # pixels
ROWS, WIDTH, GROUPS = 2**15, 256, 1000
LARGEST = 64  # images that are decoded at most
PHOTO_WIDTH, PHOTO_HEIGHT = 500, 375  # pixels, as most photographs of ImageNet
NOISE_PIXELS = 25  # of the full size, per pixel of the noise that is enlarged
SYNTHETIC_IMAGES = 64


def synthetic_image(width: int, height: int, seed: int) -> Image.Image:
    """Smooth colored noise with a little grain, RGB: about as hard to encode as a photograph."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (height // NOISE_PIXELS + 1, width // NOISE_PIXELS + 1, 3), np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), np.float64)
    return Image.fromarray((smooth + random.normal(0, 6, smooth.shape)).clip(0, 255).astype(np.uint8))


class SyntheticImages:
    """An image set of one synthetic image, a JPEG file in memory, under several keys; without labels."""

    def __init__(self) -> None:
        file = io.BytesIO()
        synthetic_image(PHOTO_WIDTH, PHOTO_HEIGHT, seed=0).save(file, "jpeg", quality=90)
        self._file = file.getvalue()
        self.classes: Sequence[str] = ()

    def entries(self) -> Sequence[Entry]:
        """As many keys as images are decoded to measure the rate."""
        return [Entry(str(number), None) for number in range(SYNTHETIC_IMAGES)]

    def open(self, _key: str) -> Image.Image:
        """The image, not yet decoded."""
        return Image.open(io.BytesIO(self._file))

    def digest(self, _key: str) -> str:
        """SHA-256 (hex) of the file."""
        return hashlib.sha256(self._file).hexdigest()


def measure_rates(
    params: Params,
    subject: UntriedNetwork,
    images: ImageSet,
    entries: Sequence[Entry],
    given: GivenRates,
    clock: Clock = perf_counter,
) -> Rates:
    """Measure this machine; takes some seconds.

    Args:
        params: the configuration.
        subject: its network.
        images: its image set.
        entries: those of the image set.
        given: rates that are not measured.
        clock: seconds.

    Raises:
        ConfigError: a stage's device is not here, and its rate is not given.
        DataError: the network's activations are not finite.
        ImageError: an image cannot be decoded.
    """
    network = subject.network
    decoder = Decoder(images, entries, params, network)
    inputs = decoder.inputs(min(params.sample.batch_size, LARGEST))
    if given.icons:  # then only an icon's memory is measured, which any device can do
        params = params.model_copy(update={"render": params.render.model_copy(update={"device": "cpu"})})
    check_device("render", params.render.device)
    rendered = on_device(network, params.render.device)
    if given.images:
        sample_rate = given.images
    else:
        check_device("sample", params.sample.device)
        sample_rate = 1 / _sample_seconds(on_device(network, params.sample.device), params, inputs, clock)
    return Rates(
        decode=1 / seconds_each(decoder.inputs, LARGEST, clock),
        digest=1 / seconds_each(decoder.digest_all, LARGEST, clock),
        forward=1 / _forward_seconds(network, inputs, clock),
        sample=sample_rate,
        sum=_sum_rate(clock),
        encode=_encode_rate(params.tile.format, params.tile.quality, clock),
        icons={layer: _icon_cost(rendered, layer, params, not given.icons, clock) for layer in params.layers},
        large_icons={
            layer: _icon_cost(rendered, layer, params, not given.icons, clock, large=True)
            for layer in params.layers
            if params.render.large_level is not None
        },
        memory=psutil.Process().memory_info().rss,
        batch_bytes=_batch_bytes(params, subject),
        given=given,
    )


class Decoder:
    """Decodes images of a set as the stages do."""

    def __init__(self, images: ImageSet, entries: Sequence[Entry], params: Params, network: Network) -> None:
        """Choose a few images, spread over the set."""
        step = max(1, len(entries) // LARGEST)
        self._images, self._keys = images, [entry.key for entry in entries[::step][:LARGEST]]
        self._max_pixels, self._preprocessing = params.prepare.max_pixels, network.preprocessing

    def inputs(self, count: int) -> Tensor:
        """Network input of ``count`` images [image, 3, y, x], decoded in several threads."""
        return torch.cat([block for _, block in input_batches(self._input, count, count)])

    def digest_all(self, count: int) -> None:
        """Decode and digest ``count`` images, one after the other."""
        for number in range(count):
            self._input(number)
            self._images.digest(self._key(number))

    def _input(self, number: int) -> Tensor:
        image = load(lambda: self._images.open(self._key(number)), self._max_pixels)
        return to_tensor(network_crop(image, self._preprocessing), self._preprocessing)

    def _key(self, number: int) -> str:
        return self._keys[number % len(self._keys)]


def _sample_seconds(network: Network, params: Params, inputs: Tensor, clock: Clock) -> float:
    """Seconds per image in the passes of the stage ``sample``, with attributions if configured."""
    settings = params.sample
    digests = [f"{number:064x}" for number in range(len(inputs))]
    layers = {layer: network.layers[layer] for layer in params.layers}
    crop = network.preprocessing.crop
    methods = {
        layer: attribution_method(network.module, layer, shape, crop, settings)[0]
        for layer, shape in (layers.items() if settings.attribution else ())
    }
    baselines = {layer: np.zeros(shape.channels, np.float32) for layer, shape in layers.items()}  # any costs the same

    def run(count: int) -> None:
        places = relative_positions(params.seed, digests[:count], settings.positions_per_image)
        sample_batch(network, layers, inputs[:count], places, settings, baselines, methods)

    return seconds_each(run, len(inputs), clock)


def _forward_seconds(network: Network, inputs: Tensor, clock: Clock) -> float:
    """Seconds per image in a plain forward pass."""

    def run(count: int) -> None:
        with torch.no_grad():
            network.module(inputs[:count]).cpu()

    return seconds_each(run, len(inputs), clock)


def _sum_rate(clock: Clock) -> float:
    """Numbers per second that are read from shards and added up over the cells of a grid."""
    group = zarr.create_group(store=zarr.storage.MemoryStore(), zarr_format=3)
    random = np.random.default_rng(0)
    values = random.standard_normal((ROWS, WIDTH), dtype=np.float32).clip(0)
    zarr_store.write_array(group, ACTIVATIONS, "activation", values)
    cells = random.integers(0, GROUPS, ROWS)
    start_time = clock()
    blocks = (
        (np.arange(start, start + len(rows)), rows) for start, rows in row_blocks(zarr_store.array(group, "activation"))
    )
    grouped_sums(blocks, cells, GROUPS, WIDTH)
    return ROWS * WIDTH / (clock() - start_time)


def _encode_rate(kind: str, quality: int, clock: Clock) -> float:
    """Pixels of tiles per second."""
    tile = synthetic_image(TILE, TILE, seed=1)

    def encode(count: int) -> None:
        for _ in range(count):
            tile.save(io.BytesIO(), kind, quality=quality)

    return TILE * TILE / seconds_each(encode, 16, clock)


def _batch_bytes(params: Params, subject: UntriedNetwork) -> int:
    names = list(subject.formats)
    outputs = [prod((form.channels, form.height, form.width)) for form in subject.formats.values()]
    first = min(names.index(layer) for layer in params.layers)
    return sample_batch_bytes(outputs, first, params.sample.batch_size, params.sample.attribution)


def _icon_cost(
    network: Network, layer: str, params: Params, with_time: bool, clock: Clock, *, large: bool = False
) -> IconCost:
    """Memory of one icon of a layer, or of a large one, and its time if ``with_time`` (else zero)."""
    settings = params.render.for_layer(layer)
    spec, numbers = _renderer(network, layer, settings, large)
    step, other = _step_and_other(network, spec, numbers, clock) if with_time else (0.0, 0.0)
    extractor, images = spec.extractor(network), spec.parameterization

    def value(parameters: Tensor) -> Tensor:
        targets = torch.ones(len(parameters), numbers, device=settings.device)
        return spec.purpose.objective(targets)(extractor(images.decode(parameters)), 1.0)

    return IconCost(step, other, bytes_per_image(value, images.shape, settings.device))


def _renderer(network: Network, layer: str, settings: RenderSettings, large: bool) -> tuple[RendererSpec, int]:
    """A renderer of a layer's icons, or of its large ones, and the numbers in one of its targets."""
    mean = np.zeros(network.layers[layer].channels, np.float32)
    prior = prior_without_data(settings, layer, network.layers)
    spec = renderer_spec(settings, layer, ActivationSpace(mean, None), mean, seed=0, prior=prior)
    if large:
        spec = large_renderer_spec(spec, settings, network.layers)
    return spec, len(mean) + (prior.statistics if prior else 0)


def _step_and_other(network: Network, spec: RendererSpec, numbers: int, clock: Clock) -> tuple[float, float]:
    """Seconds of one icon for each of its gradient steps, and for everything else.

    Args:
        network: on the device.
        spec: of the renderer.
        numbers: in a target.
        clock: seconds.
    """

    def render(count: int, steps: int) -> None:
        targets = np.random.default_rng(0).random((count, numbers), dtype=np.float32)
        renderer = BatchRenderer(network, replace(spec, cold=replace(spec.cold, steps=steps), batch_size=count))
        renderer.render([RenderRequest("", target) for target in targets])

    size, more = timed_batch(lambda count: render(count, MORE), spec.batch_size, clock)
    few = seconds_of(lambda count: render(count, FEW), size, clock)
    # another process may make the shorter one take longer; then all of the time counts as that of steps
    step = (more - few) / (MORE - FEW) if more > few else more / MORE
    return step / size, max(few - FEW * step, 0.0) / size


def seconds_each(work: Work, largest: int, clock: Clock = perf_counter) -> float:
    """Seconds per item of a batch, after a warm-up; see :func:`timed_batch`."""
    size, seconds = timed_batch(work, largest, clock)
    return seconds / size


def timed_batch(work: Work, largest: int, clock: Clock = perf_counter) -> tuple[int, float]:
    """The size and seconds of a batch that takes at least :data:`MIN_SECONDS`, or is the largest.

    Args:
        work: works on a batch of the given size.
        largest: size of a batch.
        clock: seconds.
    """
    work(1)
    size = 1
    while True:
        seconds = seconds_of(work, size, clock)
        if seconds >= MIN_SECONDS or size >= largest:
            return size, seconds
        size = min(2 * size, largest)


def seconds_of(work: Work, size: int, clock: Clock = perf_counter) -> float:
    """Seconds of one batch."""
    start = clock()
    work(size)
    return clock() - start
