"""The part of an image that the network sees, sample positions in it, and crops around them.

A sample is a position of a layer's map. It is drawn relative to the image's size and so is the same at every layer. Its
crop is the square around that position whose side is the layer's receptive field, at most half of the input's side, so
that it is a part of the image and not the image.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.config.model import PreprocessingSettings

_FRACTION_BITS = 53  # what a float64 in 0..1 holds exactly
LARGEST_SHARE = 0.5  # of the side of the input, for the side of a crop
RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


def network_crop(image: Image.Image, settings: PreprocessingSettings) -> Image.Image:
    """The part of an RGB image that the network sees, ``crop`` × ``crop`` pixels.

    The shorter side is resized to ``resize`` pixels, then the center is cropped. An image smaller than the crop is
    enlarged to it rather than padded with black, which the network would see as an object. Sizes are rounded as
    torchvision's ``resize`` and ``center_crop`` round them, which take seconds to import.
    """
    side = settings.resize
    if side is None and min(image.size) < settings.crop:
        side = settings.crop
    if side is not None:
        side = max(side, settings.crop)
        short = min(image.size)
        width, height = (side * length // short for length in image.size)
        if (width, height) != image.size:
            image = image.resize((width, height), RESAMPLING[settings.interpolation])
    left, top = (round((length - settings.crop) / 2) for length in image.size)
    return image.crop((left, top, left + settings.crop, top + settings.crop))


def relative_positions(seed: int, digests: Sequence[str], count: int) -> NDArray[np.float64]:
    """``count`` positions (v, u) for each image, uniform in [0, 1), v downwards and u to the right.

    A position depends only on the seed, the image's digest and its own number, so adding images or positions moves
    none.

    Returns:
        [image, count, 2]
    """
    return np.array([[_position(seed, digest, i) for i in range(count)] for digest in digests]).reshape(-1, count, 2)


def _position(seed: int, digest: str, number: int) -> tuple[float, float]:
    words = hashlib.sha256(f"{seed}/{digest}/{number}".encode()).digest()
    v, u = (int.from_bytes(words[start : start + 8]) >> (64 - _FRACTION_BITS) for start in (0, 8))
    return v / 2**_FRACTION_BITS, u / 2**_FRACTION_BITS


@dataclass(frozen=True)
class CropSize:
    """Side of a layer's crops.

    Attributes:
        receptive_field: of the layer, input pixels.
        input_side: side of the network's input, pixels.
    """

    receptive_field: int
    input_side: int

    @property
    def share(self) -> float:
        """Side of the crop as a share of the input's side, at most :data:`LARGEST_SHARE`."""
        return min(self.receptive_field / self.input_side, LARGEST_SHARE)

    @property
    def pixels(self) -> int:
        """Side of the crop in input pixels, at least 1."""
        return max(1, min(self.receptive_field, int(self.input_side * LARGEST_SHARE)))

    @property
    def limited(self) -> bool:
        """Whether the receptive field is larger than the crop."""
        return self.receptive_field / self.input_side > LARGEST_SHARE


@dataclass(frozen=True)
class Crop:
    """A square of the network's input, pixels."""

    left: int
    top: int
    side: int


def crop_around(position: tuple[int, int], map_size: tuple[int, int], side: int, input_side: int) -> Crop:
    """The crop around a map position, moved so that it lies within the input.

    Args:
        position: (y, x) in the layer's map.
        map_size: (height, width) of the layer's map.
        side: of the crop, pixels.
        input_side: side of the network's input, pixels.
    """
    (y, x), (height, width) = position, map_size
    left, top = ((at + 0.5) / size * input_side - side / 2 for at, size in ((x, width), (y, height)))
    return Crop(_clamp(left, side, input_side), _clamp(top, side, input_side), side)


def _clamp(edge: float, side: int, input_side: int) -> int:
    return int(min(max(round(edge), 0), input_side - side))
