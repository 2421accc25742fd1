"""Crops of the network's input by receptive field: the part of an image that stands for one sample.

A sample is a position of a layer's map. Its crop is the square around that position whose side is the layer's receptive
field, at most half of the input's side, so that it is a part of the image and not the image.
"""

from dataclasses import dataclass

LARGEST_SHARE = 0.5


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
