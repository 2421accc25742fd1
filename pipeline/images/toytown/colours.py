"""Colours, and the chance by which they are picked."""

import colorsys
from collections.abc import Sequence
from random import Random
from typing import TypeVar

from pipeline.images.toytown.canvas import Colour

Choice = TypeVar("Choice")

VIVID = (0.0, 0.05, 0.1, 0.14, 0.3, 0.42, 0.55, 0.62, 0.75, 0.86, 0.94)


class Dice:
    """The chance behind one scene; the same (seed, index) always rolls the same, on any machine.

    Python's own generator is used because its stream is promised never to change.
    """

    def __init__(self, seed: int, index: int) -> None:
        self._random = Random(f"toytown {seed} {index}")  # noqa: S311 - pictures, not secrets

    def between(self, low: float, high: float) -> float:
        """A number between the two."""
        return low + (high - low) * self._random.random()

    def whole(self, low: int, high: int) -> int:
        """A whole number between the two, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def chance(self, share: float) -> bool:
        """True in this share of the rolls."""
        return self._random.random() < share

    def choice(self, options: Sequence[Choice]) -> Choice:
        """One of the options."""
        return options[int(self._random.random() * len(options))]

    def vivid(self) -> Colour:
        """A strong colour of any hue."""
        return hsv(self.choice(VIVID) + self.between(-0.02, 0.02), self.between(0.7, 0.92), self.between(0.75, 0.97))

    def near(self, hue: float, saturation: float, value: float, spread: float = 0.02) -> Colour:
        """A colour near the given one; hue, saturation and value in 0..1."""
        return hsv(
            hue + self.between(-spread, spread),
            saturation + self.between(-0.07, 0.07),
            value + self.between(-0.06, 0.06),
        )


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """RGB of hue (turns), saturation and value (0..1, clipped)."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0))
    return round(255 * red), round(255 * green), round(255 * blue)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """``first`` with a share of ``second``."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def dark(colour: Colour, share: float = 0.35) -> Colour:
    """The colour in the shade."""
    return mix(colour, (16, 12, 28), share)


def light(colour: Colour, share: float = 0.35) -> Colour:
    """The colour in the light."""
    return mix(colour, (255, 252, 240), share)
