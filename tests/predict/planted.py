"""A planted run: colored squares, a network that detects one concept in each, and classes that follow the concepts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from omegaconf import OmegaConf
from PIL import Image
from torch import Tensor, nn

from pipeline.compose import compose_config
from pipeline.config.model import PreprocessingSettings
from pipeline.config.params import parse_params
from pipeline.core.artifacts import ACTIVATIONS, IMAGES, LAYOUT, MODEL
from pipeline.core.zarr_store import array, create, open_artifact, write_array
from pipeline.grid import stage as grid
from pipeline.images.image_folder import ImageFolder
from pipeline.images.manifest import Manifest, write_manifest
from pipeline.model.build import build, freeze
from pipeline.model.description import LayerShape
from pipeline.model.network import Network, save_network
from pipeline.sample import stage as sample
from pipeline.stages import STAGES, Task

ROOT = Path(__file__).parents[2]
SIDE, SQUARE, CLASSES, LAYER = 32, 8, 8, "concepts"
COLORS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1]])
CONCEPTS = len(COLORS)
IMAGE_COUNT = 40
SHAPES = {
    "map": LayerShape("map", CONCEPTS, 4, 4, 0, 8.0, 8),
    "map_last": LayerShape("map_last", CONCEPTS, 4, 4, 0, 8.0, 8),
    "tokens": LayerShape("tokens", CONCEPTS, 4, 4, 1, 8.0, 8),
}


class Arranged(nn.Module):
    """Turns a map [image, channel, y, x] into the kind of output that is wanted; a class token is the mean of all."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, grid: Tensor) -> Tensor:
        """The same numbers, rearranged."""
        if self.kind == "map":
            return grid.clone()
        if self.kind == "map_last":
            return grid.movedim(1, -1)
        tokens = grid.flatten(2).movedim(1, -1)
        return torch.cat([tokens.mean(1, keepdim=True), tokens], dim=1)


class ConceptNet(nn.Module):
    """One channel per color, then the mean over all positions, then classes by a linear map.

    No class gains from all concepts equally, so a class rises by its concept and not by activity as such.
    """

    def __init__(self, kind: str = "map") -> None:
        super().__init__()
        corners = torch.tensor(2.0 * COLORS - 1).float()
        self.look = nn.Conv2d(3, CONCEPTS, SQUARE, stride=SQUARE)
        self.look.weight.data = (corners / SQUARE**2)[:, :, None, None].expand(-1, -1, SQUARE, SQUARE).clone()
        self.look.bias = nn.Parameter(0.2 - torch.tensor(COLORS.sum(1) - 1.0).float())
        self.concepts = Arranged(kind)
        self.head = nn.Linear(CONCEPTS, CLASSES)
        self.head.weight.data = planted_weights()

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        seen = self.concepts(torch.relu(self.look(images)))
        if self.concepts.kind == "tokens":
            places = seen[:, 1:].mean(1)
        else:
            places = seen.mean((2, 3) if self.concepts.kind == "map" else (1, 2))
        logits: Tensor = self.head(places)
        return logits


def planted_weights() -> Tensor:
    """[class, concept] of :class:`ConceptNet`."""
    weights = torch.randn(CLASSES, CONCEPTS, generator=torch.Generator().manual_seed(4))
    return 5 * (weights - weights.mean(1, keepdim=True))


def plant(root: Path, kind: str = "map", *overrides: str) -> Task:
    """Write all that the stage reads, by the real stages but for the layout, where every concept has a corner.

    Returns:
        the task to run.
    """
    _photographs(root / "images")
    _manifest(root)
    module = freeze(build(_architecture(kind)))
    preprocessing = PreprocessingSettings(crop=SIDE, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    classes = [f"class {number}" for number in range(CLASSES)]
    network = Network("planted", module, tuple(classes), preprocessing, {LAYER: SHAPES[kind]})
    save_network(MODEL.path(root / "outputs"), network, _architecture(kind), {})
    few = ["sample.positions_per_image=6", "sample.border=0", "grid.levels=[3,6]", "grid.min_count=3"]
    small = ["predict.samples=40", "predict.cells=12", "predict.level=6", "predict.images=6", "predict.resamples=200"]
    task = planned(root, *few, *small, *overrides)
    sample.run(Task(STAGES["sample"], task.params, task.outputs))
    lay_out(task)
    return task


def planned(root: Path, *overrides: str) -> Task:
    """One execution of the stage with settings changed."""
    images = ["images=image_folder", f"images.root={root / 'images'}"]
    config = compose_config(ROOT, [*images, f"layers=[{LAYER}]", *overrides])
    return Task(STAGES["predict"], parse_params(OmegaConf.to_container(config)), root / "outputs", LAYER)


def lay_out(task: Task) -> None:
    """Put every concept into its own ninth of the upper two thirds of the unit square, and compute the grid."""
    concept = recorded(task, "activation").argmax(axis=1)
    random = np.random.default_rng(5).uniform(0.02, 0.98, (len(concept), 2))
    xy = (np.stack([concept % 3, concept // 3], axis=1) + random) / 3
    with create(LAYOUT, task.path(LAYOUT), {}, {}) as group:
        write_array(group, LAYOUT, "sample", np.arange(len(concept)))
        write_array(group, LAYOUT, "xy", xy.astype(np.float32))
    grid.run(Task(STAGES["grid"], task.params, task.outputs, LAYER))


def recorded(task: Task, name: str) -> NDArray[Any]:
    """A recorded array of the planted layer."""
    return np.asarray(array(open_artifact(ACTIVATIONS, task.path(ACTIVATIONS)), name)[...])


def record(task: Task, **changed: NDArray[Any] | None) -> None:
    """Write the recorded arrays anew with some changed or left out, and the layout and grid that follow."""
    names = ("activation", "attribution", "baseline", "image", "position")
    arrays = {name: recorded(task, name) for name in names} | changed
    with create(ACTIVATIONS, task.path(ACTIVATIONS), {}, {}) as group:
        for name, values in arrays.items():
            if values is not None:
                write_array(group, ACTIVATIONS, name, values)
    lay_out(task)


def _architecture(kind: str) -> dict[str, Any]:
    return {"_target_": "tests.predict.planted.ConceptNet", "kind": kind}


def _photographs(folder: Path) -> None:
    random = np.random.default_rng(1)
    folder.mkdir(parents=True)
    for number in range(IMAGE_COUNT):
        # each image has one frequent color, and every square its own brightness
        frequent = number % CONCEPTS
        concept = np.where(random.random((4, 4)) < 0.4, frequent, random.integers(0, CONCEPTS, (4, 4)))
        light = 255 * random.uniform(0.9, 1.0, (4, 4, 1))
        pixels = np.kron((COLORS[concept] * light).astype(np.uint8), np.ones((SQUARE, SQUARE, 1), np.uint8))
        Image.fromarray(pixels).save(folder / f"{number:02d}.png")


def _manifest(root: Path) -> None:
    found = ImageFolder(str(root / "images"))
    keys = tuple(entry.key for entry in found.entries())
    numbers, sides = np.arange(len(keys)), np.full(len(keys), SIDE)
    class_ = np.where(numbers % 5, numbers % CONCEPTS, -1)
    digests: Sequence[str] = [found.digest(key) for key in keys]
    manifest = Manifest(numbers, keys, class_, class_, sides, sides, tuple(digests))
    write_manifest(IMAGES.path(root / "outputs"), manifest, {}, {})
