"""Toytown, the default image set: synthetic color scenes, with a mask of every part.

Ten classes are built from parts that several of them share: streetcar and train have wheels and rails, fireboat and
sailboat a hull, and so on.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.core.errors import ConfigError
from pipeline.images.image_set import Entry
from pipeline.images.toytown.canvas import UNITS, Canvas, SceneRandom
from pipeline.images.toytown.scenes import SCENE_CLASSES

CLASSES = tuple(SCENE_CLASSES)

VIEW = (50.0, 62.0)  # range of the side of what the picture shows, units
MAX_SCENES = 5_000_000  # scenes; their list is held in memory
LOWEST = 58.0  # the view's lower edge is below this, so that water and rails are in it


@dataclass(frozen=True)
class Scene:
    """One drawn scene.

    Attributes:
        image: RGB picture.
        label: index into the set's classes.
        masks: by part name, [y, x] bool: where the part shows. Scenery is in no mask, and no pixel is in two.
    """

    image: Image.Image
    label: int
    masks: dict[str, NDArray[np.bool_]]


class Toytown:
    """``count`` scenes; scene i depends on (seed, i, size) only; the classes take turns."""

    def __init__(self, count: int, seed: int, size: int = 64) -> None:
        """Describe the set; scenes are drawn on demand.

        Args:
            count: number of scenes.
            seed: of all random numbers.
            size: side of a scene, pixels.

        Raises:
            ConfigError: the count or the size is out of range.
        """
        if not 1 <= count <= MAX_SCENES:
            raise ConfigError(f"images.count: expected at least 1 scene and at most {MAX_SCENES:,}, found {count}")
        if not 16 <= size <= 1024:
            raise ConfigError(f"images.size: expected 16 to 1024 pixels, found {size}")
        self.count, self.seed, self.size = count, seed, size
        self.classes: Sequence[str] = CLASSES

    def entries(self) -> Sequence[Entry]:
        """Every scene, in order."""
        return [Entry(f"{index:05d}", index % len(CLASSES)) for index in range(self.count)]

    def open(self, key: str) -> Image.Image:
        """The scene's picture."""
        return _picture(self.seed, int(key), self.size).copy()

    def digest(self, key: str) -> str:
        """SHA-256 (hex) of the scene's pixels."""
        return hashlib.sha256(_picture(self.seed, int(key), self.size).tobytes()).hexdigest()

    def masks(self, key: str) -> Mapping[str, NDArray[np.bool_]]:
        """By part name, [y, x]: where the part shows."""
        return self.scene(int(key)).masks

    def scene(self, index: int, leave_out: tuple[str, ...] = ()) -> Scene:
        """Scene ``index`` with its masks; ``leave_out`` names parts that are not drawn, all else staying the same."""
        canvas = _draw(self.seed, index, self.size, leave_out)
        return Scene(canvas.picture(), index % len(CLASSES), canvas.masks())


def _draw(seed: int, index: int, size: int, leave_out: tuple[str, ...] = ()) -> Canvas:
    rng = SceneRandom(seed, index)
    side = rng.uniform(*VIEW)
    left, foot = (UNITS - side) * rng.uniform(0.2, 0.8), rng.uniform(max(LOWEST, side), UNITS)
    canvas = Canvas(size, (left, foot - side, side), leave_out)
    SCENE_CLASSES[CLASSES[index % len(CLASSES)]].draw(canvas, rng)
    return canvas


# an image's digest is requested right after the image itself
@lru_cache(maxsize=4)
def _picture(seed: int, index: int, size: int) -> Image.Image:
    return _draw(seed, index, size).picture()
