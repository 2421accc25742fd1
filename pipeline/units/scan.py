"""One pass over all positions of all images: each unit's highest and lowest activation in every image, and statistics.

Memory holds two activations and two positions for every image and unit, whatever the size of the layer's map.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Protocol, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.config.images import ImagesSettings
from pipeline.core.layer_names import LOGITS
from pipeline.core.progress import progress
from pipeline.images.crops import network_crop
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import ManifestImages, read_manifest
from pipeline.model.inputs import input_batches, to_tensor
from pipeline.model.layers import run_to
from pipeline.model.network import Network, load_network, output_shape
from pipeline.model.positions import require_finite
from pipeline.parallel.pool import Pool

BINS = 64  # on either side of zero
IMAGES_PER_TASK = 128
TINY = 1e-300

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of values in bins whose width is a power of two; the same in whatever order values are added.

    Attributes:
        exponent: the width of each unit's bins is 2 ** exponent, [unit].
        counts: [unit, 2 * BINS]; bin ``b`` holds values from ``(b - BINS) * width`` up to the next bin's.
    """

    exponent: Ints
    counts: Ints

    @classmethod
    def of(cls, values: Floats) -> "Histogram":
        """Of finite values [unit, value], at least one a unit, in the narrowest bins that hold them all."""
        high = np.maximum(np.abs(values).max(axis=1).astype(np.float64), np.finfo(np.float32).tiny)
        exponent = np.ceil(np.log2(high / BINS)).astype(np.int64)
        exponent += np.floor(high / 2.0**exponent) >= BINS  # the highest value lies within the last bin
        return cls(exponent, _counted(values, exponent))

    def __add__(self, other: "Histogram") -> "Histogram":
        exponent = np.maximum(self.exponent, other.exponent)
        return Histogram(exponent, self._widened(exponent) + other._widened(exponent))

    def only(self, unit: int) -> "Histogram":
        """Of one unit alone."""
        return Histogram(self.exponent[unit : unit + 1], self.counts[unit : unit + 1])

    def exceeded_at(self, share: float) -> Doubles:
        """The value of each unit that a share of all values exceeds, [unit]; exact to the width of a bin.

        Args:
            share: 0..1.
        """
        width = 2.0 ** self.exponent.astype(np.float64)
        above = np.cumsum(self.counts[:, ::-1], axis=1)[:, ::-1]  # at or above a bin's lower edge
        wanted = share * above[:, :1]
        bins = (above > wanted).sum(axis=1) - 1  # the highest bin with more values above its lower edge
        row = np.arange(len(bins))
        within = (above[row, bins] - wanted[:, 0]) / np.maximum(self.counts[row, bins], 1)
        found: Doubles = (bins - BINS + np.clip(within, 0, 1)) * width
        return found

    def _widened(self, exponent: Ints) -> Ints:
        """The counts in bins of these widths, none narrower than before."""
        bins = np.arange(2 * BINS) - BINS
        target = (bins >> (exponent - self.exponent)[:, None]) + BINS
        widened = np.zeros_like(self.counts)
        np.add.at(widened, (np.arange(len(self.counts))[:, None], target), self.counts)
        return widened


def _counted(values: Floats, exponent: Ints) -> Ints:
    bins = np.floor(values.astype(np.float64) / 2.0 ** exponent[:, None]).astype(np.int64) + BINS
    return np.stack([np.bincount(row, minlength=2 * BINS) for row in bins])


@dataclass(frozen=True, eq=False)
class Scan:
    """What some images show of the chosen units.

    Attributes:
        highest: highest activation of each image, [image, unit].
        highest_at: its position in the layer's map, row by row; the first one of several, [image, unit].
        lowest, lowest_at: the same of the lowest activation.
        histogram: of all activations.
        active: positions at which the unit is above zero, [unit].
        positions: that were passed over, in all images.
        sums: of all channels' activations, [channel].
        squares: of their squares, [channel].
        products: of each unit's activation with every channel's, [unit, channel].
    """

    highest: Floats
    highest_at: Ints
    lowest: Floats
    lowest_at: Ints
    histogram: Histogram
    active: Ints
    positions: int
    sums: Doubles
    squares: Doubles
    products: Doubles

    def __add__(self, other: "Scan") -> "Scan":
        """Of the other's images after one's own."""
        return Scan(
            highest=np.concatenate([self.highest, other.highest]),
            highest_at=np.concatenate([self.highest_at, other.highest_at]),
            lowest=np.concatenate([self.lowest, other.lowest]),
            lowest_at=np.concatenate([self.lowest_at, other.lowest_at]),
            histogram=self.histogram + other.histogram,
            active=self.active + other.active,
            positions=self.positions + other.positions,
            sums=self.sums + other.sums,
            squares=self.squares + other.squares,
            products=self.products + other.products,
        )

    def exceeded_at(self, share: float) -> Doubles:
        """The activation of each unit that at most a share of all positions exceeds, [unit].

        It is 0 for a unit that is above zero at fewer positions, and else exact to the width of a bin of the histogram.

        Args:
            share: 0..1.
        """
        found: Doubles = np.where(self.active < share * self.positions, 0.0, self.histogram.exceeded_at(share))
        return found

    def correlations(self, unit: int, channel: int) -> Doubles:
        """Pearson correlation of a unit with every channel over all positions, [channel]; 0 for what does not vary.

        Args:
            unit: its number in the scan.
            channel: its channel.
        """
        mean = self.sums / self.positions
        variance = np.maximum(self.squares / self.positions - mean**2, 0)
        covariance = self.products[unit] / self.positions - mean[channel] * mean
        scale = np.sqrt(variance[channel] * variance)
        silent = scale <= np.finfo(np.float64).eps * max(float(self.squares.max(initial=0)) / self.positions, TINY)
        found: Doubles = np.where(silent, 0.0, covariance / np.where(silent, 1.0, scale)).clip(-1, 1)
        return found


@dataclass(frozen=True, eq=False)
class ScannerSpec:
    """Everything that :class:`Scanner` is built from; small enough to travel to a worker.

    Attributes:
        model: folder of the saved network, at the same path for all workers.
        manifest: path of the list of images.
        images: settings of the image set as written: a worker resolves references to environment variables.
        layer: dotted module path, or :data:`~pipeline.model.description.LOGITS`, whose channels are the classes.
        units: channels of the layer.
        batch_size: images in one forward pass.
        device: where it runs.
        rotation: seed of a random rotation of the layer's channels, whose axes then stand for the units; None for none.
    """

    model: Path
    manifest: Path
    images: ImagesSettings
    layer: str
    units: Sequence[int]
    batch_size: int
    device: str
    rotation: int | None = None

    def __call__(self) -> "Scanner":
        """The scanner, in a worker."""
        images = ManifestImages(read_manifest(self.manifest), open_image_set(self.images))
        network = load_network(self.model, self.device)

        def load(row: int) -> Tensor:
            return to_tensor(network_crop(images.load(row), network.preprocessing), network.preprocessing)

        return Scanner(network, self.layer, self.units, load, self.batch_size, self.device, self.rotation)


class Scanner:
    """Passes over images."""

    def __init__(
        self,
        network: Network,
        layer: str,
        units: Sequence[int],
        load: Callable[[int], Tensor],
        batch_size: int,
        device: str,
        rotation: int | None = None,
    ) -> None:
        """Prepare.

        Args:
            network: on the device.
            layer: dotted module path.
            units: channels of the layer.
            load: returns the network's input [3, y, x] of the image in a row; called from several threads.
            batch_size: images in one forward pass.
            device: of the network.
            rotation: see :class:`ScannerSpec`.
        """
        self._network, self._layer, self._units = network, layer, torch.as_tensor(list(units), device=device)
        self._load, self._batch_size, self._device = load, batch_size, device
        self._shape = output_shape(layer, network)
        self._rotation = None if rotation is None else random_rotation(self._shape.channels, rotation).to(device)

    def __call__(self, rows: range) -> Scan:
        """What the images in these rows show.

        Raises:
            DataError: an activation is not finite.
        """
        found = []
        batches = input_batches(lambda number: self._load(rows[number]), len(rows), self._batch_size, self._device)
        with torch.no_grad():
            for _span, inputs in batches:
                found += [self._scan(grid) for grid in self._map(inputs.to(self._device)).float()]
        return reduce(Scan.__add__, found)

    def maps(self, row: int, units: Sequence[int]) -> Floats:
        """Maps of some units in one image, [unit, y, x].

        Args:
            row: of the image.
            units: their numbers among those of the scanner.
        """
        with torch.no_grad():
            grid = self._map(self._load(row)[None].to(self._device)).float()[0]
        found: Floats = grid[self._units[list(units)]].cpu().numpy()
        return found

    def _map(self, inputs: Tensor) -> Tensor:
        """The layer's map for a batch of inputs, [image, channel, y, x]."""
        if self._layer == LOGITS:
            grid: Tensor = self._network.module(inputs)[:, :, None, None]
        else:
            grid = self._shape.to_map(run_to(self._network.module, self._layer, inputs))
        return grid if self._rotation is None else torch.einsum("kc,bcyx->bkyx", self._rotation, grid.float())

    def _scan(self, grid: Tensor) -> Scan:
        """Of one image's map [channel, y, x]: alone, so that sums do not depend on the batch."""
        flat = grid.flatten(1).double()
        units = flat[self._units]
        values: Floats = units.float().cpu().numpy()
        require_finite(self._layer, values)
        highest, lowest = values.argmax(axis=1), values.argmin(axis=1)  # the first of several
        row = np.arange(len(values))
        return Scan(
            highest=values[row, highest][None],
            highest_at=highest[None],
            lowest=values[row, lowest][None],
            lowest_at=lowest[None],
            histogram=Histogram.of(values),
            active=(values > 0).sum(axis=1),
            positions=flat.shape[1],
            sums=flat.sum(1).cpu().numpy(),
            squares=flat.square().sum(1).cpu().numpy(),
            products=(units @ flat.T).cpu().numpy(),
        )


def random_rotation(channels: int, seed: int) -> Tensor:
    """A random orthogonal matrix [channel, channel], float32, uniform over all rotations and reflections.

    Args:
        channels: how many.
        seed: of the random numbers.
    """
    normal = np.random.default_rng([seed, channels]).standard_normal((channels, channels))
    basis, upper = np.linalg.qr(normal)
    return torch.from_numpy((basis * np.sign(np.diag(upper))).astype(np.float32))


def scan_images(pool: Pool, spec: ScannerSpec, images: int) -> Scan:
    """Pass over all images, part by part in their order, whatever the workers' order.

    Args:
        pool: the workers.
        spec: of their scanners.
        images: rows of the list of images, at least one.
    """
    return sum_over_images(pool, spec, images, f"units {spec.layer}")


class Addable(Protocol):
    """What is found in some images, to which what is found in the following ones is added."""

    def __add__(self, other: Self, /) -> Self: ...


Found = TypeVar("Found", bound=Addable)


def sum_over_images(pool: Pool, spec: Callable[[], Callable[[range], Found]], images: int, what: str) -> Found:
    """What is found in all images, added part by part in their order, whatever the workers' order.

    Args:
        pool: the workers.
        spec: makes what looks at the images of a range of rows, in a worker.
        images: rows of the list of images, at least one.
        what: is done, for the progress.
    """
    tasks = [range(start, min(start + IMAGES_PER_TASK, images)) for start in range(0, images, IMAGES_PER_TASK)]
    found: dict[int, Found] = {}
    with progress(what, images, "image") as bar:
        for index, part in pool.map_unordered(_look, tasks, spec):
            found[index] = part
            bar.update(len(tasks[index]))
    first, *others = (found[index] for index in range(len(tasks)))
    return reduce(lambda one, other: one + other, others, first)


def _look(look: Callable[[range], Found], rows: range) -> Found:
    """In a worker."""
    return look(rows)
