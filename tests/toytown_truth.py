"""Held-out toytown scenes, the positions of their parts, and a network that is trained on the parts."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.config.model import PreprocessingSettings, TrainingSettings
from pipeline.images.toytown.toytown import Scene, Toytown
from pipeline.model.build import build, freeze
from pipeline.model.discovery import discover_layers
from pipeline.model.network import Network
from pipeline.prepare.train import train

SIDE = 64
PREPROCESSING = PreprocessingSettings(crop=SIDE, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
TRAINING = TrainingSettings(epochs=6, robust=0.0)


@cache
def unseen_scenes(count: int) -> list[Scene]:
    """Scenes that training never saw."""
    return [Toytown(count, seed=1).scene(index) for index in range(count)]


def parts(scenes: list[Scene], pixel: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which part shows at the pixels (y, x) [scene, place, 2]; -1 where it is scenery."""
    names = sorted({name for scene in scenes for name in scene.masks})
    found = np.full(pixel.shape[:2], -1)
    for scene, rows, where in zip(scenes, found, pixel, strict=True):
        for name, mask in scene.masks.items():
            rows[mask[where[:, 0], where[:, 1]]] = names.index(name)
    return found


@cache
def network(learned: bool) -> Network:
    """The default network for toytown, trained briefly or not at all."""
    toytown = Toytown(900, seed=0)
    module = build({"_target_": "pipeline.model.small_inception.SmallInception"}, len(toytown.classes))
    if learned:
        drawn = [toytown.scene(index) for index in range(900)]
        pixels = np.stack([np.asarray(scene.image) for scene in drawn])
        train(module, pixels, np.array([scene.label for scene in drawn]), TRAINING, PREPROCESSING, 0)
    module = freeze(module)
    return Network("n", module, tuple(toytown.classes), PREPROCESSING, discover_layers(module, SIDE))
