"""The invented atlas as the artifacts that the stages ``tile`` and ``site`` read."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from benchmarks.viewer.drawing import Drawings, icons
from benchmarks.viewer.world import CHANNELS, World, attribution, centers, exemplars, world
from pipeline.config.model import PreprocessingSettings
from pipeline.config.params import parse_params
from pipeline.core import artifacts as a
from pipeline.core.cells import CellAssignment
from pipeline.core.icon_styles import add_style
from pipeline.core.progress import tracked
from pipeline.core.zarr_store import add_array, create, write_array
from pipeline.images.manifest import Manifest, write_manifest
from pipeline.model.description import LayerShape
from pipeline.model.network import Network, save_network
from pipeline.stages import STAGES, Task

LAYER = "layer"
MAP = 13  # positions a side
PICTURE = 128  # side of a photograph, pixels
TOGETHER = 256  # icons drawn at once, to bound memory
RANDOM = np.random.default_rng


@dataclass(frozen=True)
class Size:
    """How large the atlas is.

    Attributes:
        levels: cells a side, coarse to fine.
        classes: of the network, at most 1000.
        icon: side of an icon, pixels.
    """

    levels: tuple[int, ...]
    classes: int
    icon: int


def settings(size: Size) -> dict[str, Any]:
    """What ``params.yaml`` would say of it."""
    empty: dict[str, dict[str, Any]] = {name: {} for name in ("prepare", "sample", "reduce", "render", "tile")}
    images = {"_target_": "benchmarks.viewer.drawing.Drawings", "count": size.classes, "side": PICTURE}
    return {
        "seed": 0,
        "layers": [LAYER],
        "atlases": ["all"],
        "images": images,
        "model": {"name": "invented", "architecture": {"_target_": "torch.nn.Identity"}, "weights": "random"},
        "grid": {"levels": list(size.levels)},
        "site": {"title": "An invented atlas"},
        **empty,
    }


def write_artifacts(task: Task, size: Size) -> None:
    """Write everything that stands before tiles and site."""
    made = world(size.levels, size.classes)
    _images(task, size)
    shape = LayerShape("map", CHANNELS, MAP, MAP, 0, PICTURE / MAP, PICTURE // 3)
    preprocessing = PreprocessingSettings(resize=PICTURE, crop=PICTURE)
    network = Network("invented", nn.Linear(1, 1), made.classes, preprocessing, {LAYER: shape})
    save_network(task.path(a.MODEL), network, {"_target_": "torch.nn.Identity"}, {})
    _samples(task, made)
    with create(a.GRID, task.path(a.GRID), task.settings(), {}) as group:
        write_array(group, a.GRID, "mean", np.zeros(CHANNELS))
        for level in made.levels:
            at_level = group.create_group(str(level.size))
            for name, values in _cells(level, size.classes).items():
                write_array(at_level, a.GRID, name, values)
    with create(a.ICONS, task.path(a.ICONS), task.settings(), {}) as stored:
        group = add_style(stored, "drawn")
        for level in made.levels:
            at_level = group.create_group(str(level.size))
            for name, values in _measured(level).items():
                write_array(at_level, a.ICONS, name, values)
            _icons(add_array(at_level, a.ICONS, "icon", (len(level.cell), size.icon, size.icon, 3)), level)


def task_of(stage: str, outputs: Any, size: Size) -> Task:
    """One stage's work on the invented run."""
    return Task(STAGES[stage], parse_params(settings(size)), outputs, LAYER)


def _images(task: Task, size: Size) -> None:
    drawings = Drawings(size.classes, PICTURE)
    entries, row = drawings.entries(), np.arange(size.classes)
    side = np.full(size.classes, PICTURE)
    keys = tuple(entry.key for entry in entries)
    manifest = Manifest(row, keys, row, row, side, side, tuple(drawings.digest(key) for key in keys))
    write_manifest(task.path(a.IMAGES), manifest, {}, {})


def _samples(task: Task, made: World) -> None:
    """Activations and the layout; attributions all alike, those of the cells are what the page shows."""
    samples, random = len(made.xy), RANDOM(2)
    with create(a.ACTIVATIONS, task.path(a.ACTIVATIONS), {}, {}) as group:
        write_array(group, a.ACTIVATIONS, "activation", random.standard_normal((samples, CHANNELS), np.float32))
        alike = np.broadcast_to(np.float32(0.01), (samples, len(made.classes)))
        write_array(group, a.ACTIVATIONS, "attribution", alike)
        write_array(group, a.ACTIVATIONS, "image", made.image)
        write_array(group, a.ACTIVATIONS, "position", random.integers(0, MAP, (samples, 2)))
    with create(a.LAYOUT, task.path(a.LAYOUT), {}, {}) as group:
        write_array(group, a.LAYOUT, "sample", np.arange(samples))
        write_array(group, a.LAYOUT, "xy", made.xy)


def _cells(level: CellAssignment, classes: int) -> Mapping[str, NDArray[Any]]:
    cells, random = len(level.cell), RANDOM([3, level.size])
    return {
        "cell": level.cell,
        "count": level.count,
        "drawn": np.ones(cells, bool),
        "activation": random.standard_normal((cells, CHANNELS), np.float32),
        "attribution": attribution(level, classes),
        "spread": random.uniform(0.2, 0.8, cells),
        "reliability": random.uniform(0.3, 0.9, cells),
        "exemplar": exemplars(level),
    }


def _measured(level: CellAssignment) -> Mapping[str, NDArray[Any]]:
    cells, random = len(level.cell), RANDOM([4, level.size])
    return {
        "key": random.integers(1, 256, (cells, a.KEY_BYTES)).astype(np.uint8),
        "parent": np.zeros((cells, a.KEY_BYTES), np.uint8),
        "cell": np.arange(cells),
        "fidelity": random.uniform(0.6, 0.95, cells),
        "fidelity_centred": random.uniform(0.5, 0.95, cells),
    }


def _icons(stored: Any, level: CellAssignment) -> None:
    """Draw them, and store a shard at a time."""
    place, side = centers(level), stored.shape[1]
    shards = [*range(0, len(place), stored.shards[0]), len(place)]
    for first, last in tracked(pairwise(shards), f"icons of level {level.size}", len(shards) - 1, "shard"):
        steps = [*range(first, last, TOGETHER), last]
        drawn = [icons(place[start:stop], side, start) for start, stop in pairwise(steps)]
        stored[first:last] = np.concatenate(drawn)
