"""Squares of the network's input: what a patch is cut from, and the corners that it is pasted into."""

from dataclasses import dataclass

import numpy as np

LARGEST = 0.5  # of the input's side: a patch is a part of an image, not the image
CORNERS = ("top left", "top right", "bottom left", "bottom right")


@dataclass(frozen=True)
class Square:
    """A square of the network's input, pixels."""

    left: int
    top: int
    side: int


def patch_side(receptive_field: int, crop: int) -> int:
    """Side of the square that is cut out for a layer: its receptive field, but at most half of the input, pixels."""
    return max(1, min(receptive_field, int(crop * LARGEST)))


def pasted_side(share: float, crop: int) -> int:
    """Side of a pasted patch, pixels, for its share of the input's side."""
    return min(crop, max(1, round(share * crop)))


def around(position: tuple[int, int], height: int, width: int, side: int, crop: int) -> Square:
    """The square around a map position, moved so that it lies within the input.

    Args:
        position: (y, x) in the layer's map.
        height: of the layer's map.
        width: of the layer's map.
        side: of the square, pixels.
        crop: side of the input, pixels.
    """
    y, x = position
    left, top = ((place + 0.5) / size * crop - side / 2 for place, size in ((x, width), (y, height)))
    return Square(_inside(left, side, crop), _inside(top, side, crop), side)


def anywhere(random: np.random.Generator, side: int, crop: int) -> Square:
    """A square anywhere within the input, every place equally likely."""
    left, top = random.integers(0, crop - side + 1, 2)
    return Square(int(left), int(top), side)


def corner(number: int, side: int, crop: int) -> Square:
    """The square of this side in corner ``number`` of :data:`CORNERS`."""
    far = crop - side
    return Square(far * (number % 2), far * (number // 2), side)


def _inside(edge: float, side: int, crop: int) -> int:
    return int(min(max(round(edge), 0), crop - side))
