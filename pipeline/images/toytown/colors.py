"""Colors, and the random numbers that choose them."""

import colorsys
from collections.abc import Sequence
from random import Random
from typing import TypeVar

from pipeline.images.toytown.canvas import Color

Choice = TypeVar("Choice")

VIVID = (0.0, 0.05, 0.1, 0.14, 0.3, 0.42, 0.55, 0.62, 0.75, 0.86, 0.94)


class SceneRandom:
    """Random numbers of one scene: the same (seed, index) gives the same stream on any machine.

    Python's own generator is used because its stream is guaranteed never to change.
    """

    def __init__(self, seed: int, index: int) -> None:
        self._random = Random(f"toytown {seed} {index}")  # noqa: S311 - pictures, not secrets

    def uniform(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self._random.random()

    def randint(self, low: int, high: int) -> int:
        """An integer in low..high, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def chance(self, share: float) -> bool:
        """True with this probability."""
        return self._random.random() < share

    def choice(self, options: Sequence[Choice]) -> Choice:
        """One of the options."""
        return options[int(self._random.random() * len(options))]

    def vivid(self) -> Color:
        """A saturated color of any hue."""
        return hsv(self.choice(VIVID) + self.uniform(-0.02, 0.02), self.uniform(0.7, 0.92), self.uniform(0.75, 0.97))

    def near(self, hue: float, saturation: float, value: float, spread: float = 0.02) -> Color:
        """A color near the given one; hue, saturation and value in 0..1."""
        return hsv(
            hue + self.uniform(-spread, spread),
            saturation + self.uniform(-0.07, 0.07),
            value + self.uniform(-0.06, 0.06),
        )


def hsv(hue: float, saturation: float, value: float) -> Color:
    """RGB of hue (turns), saturation and value (0..1, clipped)."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0))
    return round(255 * red), round(255 * green), round(255 * blue)


def mix(first: Color, second: Color, share: float) -> Color:
    """``first`` with a share of ``second``."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def dark(color: Color, share: float = 0.35) -> Color:
    """The color mixed with a dark shade."""
    return mix(color, (16, 12, 28), share)


def light(color: Color, share: float = 0.35) -> Color:
    """The color mixed with a light tint."""
    return mix(color, (255, 252, 240), share)
