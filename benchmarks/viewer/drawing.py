"""Synthetic icons and photographs: stripes, rings and spots whose shapes and colors change slowly over the map."""

import hashlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.viewer.world import names
from pipeline.images.image_set import Entry

GRAIN = 0.02  # of noise; with it a tile has about the bytes for each pixel that icons of a real network have
Floats = NDArray[np.float32]


def icons(center: Floats, side: int, seed: int) -> NDArray[np.uint8]:
    """Pictures [icon, side, side, 3] for places of the map.

    Args:
        center: [icon, 2] (x, y) in 0..1.
        side: pixels.
        seed: of the grain.
    """
    axis = np.arange(side, dtype=np.float32) / side - 0.5
    x, y = axis[None, None, :], axis[None, :, None]
    u, v = (center[:, one, None, None].astype(np.float32) for one in (0, 1))
    wander = [np.sin(15.1 * u + 9.3 * v + k) + np.cos(12.2 * v - 7.7 * u + 2 * k) for k in range(6)]
    turn, pace = 1.6 * wander[0], 3.2 + 1.2 * wander[1]
    bend = 0.12 * np.sin(9 * (x * np.sin(turn) - y * np.cos(turn)) + wander[2])
    stripes = np.sin(2 * np.pi * pace * (x * np.cos(turn) + y * np.sin(turn) + bend))
    rings = np.sin(7.5 * pace * np.hypot(x + 0.1 * wander[3], y - 0.1 * wander[4]) + bend)
    value = np.where(wander[5] > 0, stripes, rings) + 0.4 * rings * stripes
    value = value + np.random.default_rng(seed).normal(0, GRAIN, value.shape).astype(np.float32) * 4
    colors = [0.5 + 0.45 * np.sin(1.3 * value + 1.4 * wander[channel] + channel) for channel in range(3)]
    images: NDArray[np.uint8] = (np.clip(np.stack(colors, axis=-1), 0, 1) * 255).astype(np.uint8)
    return images


class Drawings:
    """An image set of one invented picture for each class."""

    def __init__(self, count: int, side: int) -> None:
        """Draw nothing yet.

        Args:
            count: of the classes.
            side: of a picture, pixels.
        """
        self.classes = names(count)
        self._side = side

    def entries(self) -> list[Entry]:
        """One for each class."""
        return [Entry(f"{name}.png", label) for label, name in enumerate(self.classes)]

    def open(self, key: str) -> Image.Image:
        """The picture of this key."""
        number = int(hashlib.sha256(key.encode()).hexdigest()[:8], 16)
        center = np.random.default_rng(number).uniform(0, 1, (1, 2)).astype(np.float32)
        return Image.fromarray(icons(center, self._side, number)[0])

    def digest(self, key: str) -> str:
        """Of the key, which says all that the picture follows from."""
        return hashlib.sha256(key.encode()).hexdigest()
