"""A canvas that records which part every pixel shows, and gives a mask for each; colors, and how they are chosen.

Coordinates are in units: a scene is 64 × 64 units, x to the right, y downwards, and the picture shows a square view of
it, whatever its size in pixels. It is drawn at four times its final resolution, so that edges are antialiased.
"""

import colorsys
from collections.abc import Sequence
from math import ceil
from random import Random
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

UNITS = 64
FINE = 4

Point = tuple[float, float]
Color = tuple[int, int, int]
Ink = Color | int
Choice = TypeVar("Choice")

VIVID = (0.0, 0.05, 0.1, 0.14, 0.3, 0.42, 0.55, 0.62, 0.75, 0.86, 0.94)


class Pen:
    """Draws on a PIL image, in units."""

    def __init__(self, picture: Image.Image, scale: float, corner: Point = (0, 0)) -> None:
        self._draw = ImageDraw.Draw(picture)
        self._scale = scale
        self._left, self._top = corner

    def _points(self, points: Sequence[Point]) -> list[Point]:
        k, left, top = self._scale, self._left, self._top
        return [((x - left) * k, (y - top) * k) for x, y in points]

    def _around(self, x: float, y: float, rx: float, ry: float) -> tuple[float, float, float, float]:
        k, left, top = self._scale, x - self._left, y - self._top
        return (left - rx) * k, (top - ry) * k, (left + rx) * k, (top + ry) * k

    def _width(self, width: float) -> int:
        return max(1, round(width * self._scale))

    def polygon(self, points: Sequence[Point], fill: Ink) -> None:
        """A filled polygon."""
        self._draw.polygon(self._points(points), fill=fill)

    def line(self, points: Sequence[Point], fill: Ink, width: float) -> None:
        """A line through the points."""
        self._draw.line(self._points(points), fill=fill, width=self._width(width))

    def box(self, x: float, y: float, w: float, h: float, fill: Ink, radius: float = 0) -> None:
        """A filled box with its top left corner at (x, y); its corners are rounded by ``radius``."""
        k = self._scale
        x, y = x - self._left, y - self._top
        corners = (x * k, y * k, (x + w) * k - 1, (y + h) * k - 1)
        if corners[2] < corners[0] or corners[3] < corners[1]:
            return
        if radius:
            self._draw.rounded_rectangle(corners, radius * k, fill=fill)
        else:
            self._draw.rectangle(corners, fill=fill)

    def disc(self, x: float, y: float, rx: float, ry: float, fill: Ink) -> None:
        """A filled ellipse around (x, y)."""
        self._draw.ellipse(self._around(x, y, rx, ry), fill=fill)

    def ring(self, x: float, y: float, rx: float, ry: float, fill: Ink, width: float) -> None:
        """The outline of an ellipse around (x, y)."""
        self._draw.ellipse(self._around(x, y, rx, ry), outline=fill, width=self._width(width))

    def arc(self, x: float, y: float, rx: float, ry: float, span: Point, fill: Ink, width: float) -> None:
        """An arc of an ellipse around (x, y); ``span``: first and last angle, degrees clockwise from the right."""
        self._draw.arc(self._around(x, y, rx, ry), *span, fill=fill, width=self._width(width))


class Stamp:
    """A piece to paste onto the canvas: ``ink`` draws its colors, ``shape`` its mask (255 where the piece is)."""

    def __init__(self, w: float, h: float, scale: float, fill: Color) -> None:
        size = (max(1, ceil(w * scale)), max(1, ceil(h * scale)))
        self.w, self.h = w, h
        self.color = Image.new("RGB", size, fill)
        self.mask = Image.new("L", size, 0)
        self.ink = Pen(self.color, scale)
        self.shape = Pen(self.mask, scale)


class Canvas:
    """A scene being drawn.

    Args:
        size: side of the finished picture, pixels.
        view: (left, top, side) of the square that the picture shows, units.
        leave_out: parts that are not drawn, which shows what they would have hidden.
    """

    def __init__(
        self, size: int, view: tuple[float, float, float] = (0, 0, UNITS), leave_out: Sequence[str] = ()
    ) -> None:
        left, top, side = view
        self.size, self.corner = size, (left, top)
        self.scale = size * FINE / side
        self._leave_out = frozenset(leave_out)
        fine = (size * FINE, size * FINE)
        self.color = Image.new("RGB", fine)
        self._shown = Image.new("L", fine, 0)
        self._numbers: dict[str, int] = {}
        self.ink = Pen(self.color, self.scale, self.corner)

    def stamp(self, w: float, h: float, fill: Color) -> Stamp:
        """A new piece of ``w`` × ``h`` units, filled with ``fill``, its mask still empty."""
        return Stamp(w, h, self.scale, fill)

    def paste(self, part: str, stamp: Stamp, x: float, y: float, angle: float = 0, flip: bool = False) -> None:
        """Paste a piece onto the canvas.

        Args:
            part: name of what it shows; a piece without a name is scenery.
            stamp: the piece.
            x: of its center, units.
            y: of its center, units.
            angle: degrees counterclockwise.
            flip: mirror it left to right.
        """
        if part in self._leave_out:
            return
        color, mask = stamp.color, stamp.mask
        if flip:
            color = color.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            mask = mask.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if abs(angle) > 0.5:
            color = color.rotate(angle, Image.Resampling.BILINEAR, expand=True)
            mask = mask.rotate(angle, Image.Resampling.NEAREST, expand=True)
        left, top = self.corner
        corner = (
            round((x - left) * self.scale - mask.width / 2),
            round((y - top) * self.scale - mask.height / 2),
        )
        self.color.paste(color, corner, mask)
        number = self._numbers.setdefault(part, len(self._numbers) + 1) if part else 0
        self._shown.paste(number, (*corner, corner[0] + mask.width, corner[1] + mask.height), mask)

    def picture(self) -> Image.Image:
        """The finished picture, RGB."""
        return self.color.reduce(FINE)

    def masks(self) -> dict[str, NDArray[np.bool_]]:
        """Where each part shows: [size, size] bool, true where it covers more than half of the pixel."""
        fine = np.asarray(self._shown).reshape(self.size, FINE, self.size, FINE)
        covered = {part: (fine == number).mean(axis=(1, 3)) > 0.5 for part, number in self._numbers.items()}
        return {part: mask for part, mask in covered.items() if mask.any()}


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
