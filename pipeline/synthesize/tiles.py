"""The gradient of an objective in an image of any size, tile by tile: memory is bounded by the tile, not by the image.

A tile sees nothing of its neighbors, so that its gradient is another one near its edges. Where the tiles lie elsewhere
at every step, this leaves no line in the image (Mordvintsev et al. 2015).
"""

from collections.abc import Iterator, Sequence
from itertools import product
from math import ceil
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from pipeline.core.errors import ConfigError
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.memory import bytes_per_image
from pipeline.model.network import Network
from pipeline.synthesize.cell_objective import ObjectiveOf

# arrays of the image's size that are held during a step: the image, a shifted copy, the gradient and a shifted copy,
# its spectrum and the filtered one, and what adding and clipping make
IMAGE_COPIES = 10
FLOAT_BYTES = 4


class TiledGradient:
    """Value and gradient of an objective in images of one size.

    Attributes:
        size: (height, width) of the images, pixels.
        tile: (height, width) of a tile, pixels; at most that of the images.
    """

    def __init__(
        self,
        network: Network,
        objective_of: ObjectiveOf,
        size: tuple[int, int],
        *,
        tile: int,
        batch_size: int,
        dtype: Literal["float32", "bfloat16"] = "float32",
    ) -> None:
        """Prepare the network for tiles.

        A network that does not take tiles of this size sees each tile, of its own input size where the image is large
        enough, resampled to that size.

        Args:
            network: on the device of the images.
            objective_of: for a number of tiles.
            size: (height, width) of the images, pixels.
            tile: largest side of a tile, pixels.
            batch_size: tiles that go through the network together.
            dtype: number type of the network's pass.
        """
        self.size, self._batch_size, self._objective_of = size, batch_size, objective_of
        self._device = str(next(network.module.parameters()).device)
        wanted = (min(tile, size[0]), min(tile, size[1]))
        self._extractor = _extractor(network, sorted(objective_of(1).layers), wanted, dtype)
        self.tile = (min(size[0], self._extractor.size[0]), min(size[1], self._extractor.size[1]))
        self._starts = tuple(tile_starts(side, own) for side, own in zip(size, self.tile, strict=True))
        self._windows = tuple(
            tile_windows(side, own, starts) for side, own, starts in zip(size, self.tile, self._starts, strict=True)
        )

    def value(self, image: Tensor) -> float:
        """The mean of the objective over the tiles of an image [3, y, x] in 0..1."""
        with torch.no_grad():
            values = [
                self._objective(torch.stack([self._cut(image, place) for place in places]))
                for places in self._batches()
            ]
        return float(torch.cat(values).double().mean())

    def gradient(self, image: Tensor, shift: tuple[int, int] = (0, 0)) -> Tensor:
        """The gradient of the sum over all tiles, [3, y, x].

        Where tiles overlap, each counts the less the nearer its own edge is; the weights of a pixel add up to 1.

        Args:
            image: in 0..1, [3, y, x].
            shift: of the image under the tiles, down and to the right, pixels; what leaves at one edge enters at the
                opposite one.
        """
        shifted = image.roll(shift, (1, 2))
        total = torch.zeros_like(shifted)
        for places in self._batches():
            tiles = torch.stack([self._cut(shifted, place) for place in places]).requires_grad_()
            with torch.enable_grad():
                value = self._objective(tiles).sum()
            (gradients,) = torch.autograd.grad(value, tiles)
            for place, gradient in zip(places, gradients, strict=True):
                rows, columns = (windows[number] for windows, number in zip(self._windows, place, strict=True))
                weights = (rows[:, None] * columns).to(gradient.device)
                self._cut(total, place).add_(gradient * weights)
        return total.roll((-shift[0], -shift[1]), (1, 2))

    def needed_bytes(self) -> int:
        """Memory that a step takes: a batch of tiles in the network, and the arrays of the image's size."""
        height, width = self.size
        tiles = min(self._batch_size, len(self._starts[0]) * len(self._starts[1]))
        each = bytes_per_image(self._objective, (3, *self.tile), self._device)
        return tiles * each + IMAGE_COPIES * 3 * height * width * FLOAT_BYTES

    def _objective(self, tiles: Tensor) -> Tensor:
        if self.tile != self._extractor.size:
            tiles = interpolate(tiles, self._extractor.size, mode="bilinear", align_corners=False)
        return self._objective_of(len(tiles))(self._extractor(tiles), 1.0)

    def _batches(self) -> Iterator[Sequence[tuple[int, ...]]]:
        """Numbers of tiles, down and to the right."""
        places = list(product(*(range(len(starts)) for starts in self._starts)))
        return (places[start : start + self._batch_size] for start in range(0, len(places), self._batch_size))

    def _cut(self, image: Tensor, place: Sequence[int]) -> Tensor:
        """The part of an image [3, y, x] that a tile shows; a view."""
        rows, columns = (
            slice(starts[number], starts[number] + side)
            for starts, number, side in zip(self._starts, place, self.tile, strict=True)
        )
        return image[:, rows, columns]


def tile_starts(side: int, tile: int) -> tuple[int, ...]:
    """First pixels of the fewest tiles that cover a side; where they do not divide it they overlap about equally.

    Args:
        side: of the image, pixels.
        tile: side of a tile, pixels; at most that of the image.
    """
    count = ceil(side / tile)
    return tuple(round(number * (side - tile) / max(1, count - 1)) for number in range(count))


def tile_windows(side: int, tile: int, starts: Sequence[int]) -> Tensor:
    """Weights of the pixels along one side of each tile, [tile, pixel], which fall linearly where tiles overlap.

    The weights of each pixel of the image add up to 1.

    Args:
        side: of the image, pixels.
        tile: side of a tile, pixels.
        starts: first pixel of each tile.
    """
    pixel = torch.arange(tile, dtype=torch.float64) + 0.5
    windows, total = torch.ones(len(starts), tile, dtype=torch.float64), torch.zeros(side, dtype=torch.float64)
    for number, start in enumerate(starts):
        before = starts[number - 1] + tile - start if number else 0
        after = start + tile - starts[number + 1] if number + 1 < len(starts) else 0
        if before:
            windows[number] *= (pixel / before).clamp(max=1)
        if after:
            windows[number] *= ((tile - pixel) / after).clamp(max=1)
        total[start : start + tile] += windows[number]
    return torch.stack(
        [window / total[start : start + tile] for window, start in zip(windows, starts, strict=True)]
    ).float()


def _extractor(
    network: Network, layers: Sequence[str], size: tuple[int, int], dtype: Literal["float32", "bfloat16"]
) -> FeatureExtractor:
    """Of tiles of this size, or of the network's own input size if it takes no other.

    Raises:
        ConfigError: it takes neither.
    """
    try:
        return FeatureExtractor(network, layers, size, dtype)
    except ConfigError:
        side = network.preprocessing.crop
        return FeatureExtractor(network, layers, (side, side), dtype)
