"""A toytown with a shortcut: fireboats have a colored corner, and so have scraps of fish outside the training set.

Class names and file names are markup, as far as a file system allows.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.config.model import PreprocessingSettings, TrainingSettings
from pipeline.config.params import Params, parse_params
from pipeline.core.artifacts import ACTIVATIONS, GRID, IMAGES, MODEL, SITE
from pipeline.core.site_data import data_script
from pipeline.core.zarr_store import create, write_array
from pipeline.images.image_folder import ImageFolder
from pipeline.images.manifest import Manifest, write_manifest
from pipeline.images.toytown.toytown import Toytown
from pipeline.model.build import build, freeze
from pipeline.model.discovery import discover_layers
from pipeline.model.network import Network, save_network
from pipeline.prepare.train import train
from pipeline.site.pages import page
from pipeline.stages import STAGES, Task

CROP = 32
EACH = 40
SCRAPS = 24
LAYER = "mixed4a"
COLOR = (255, 0, 255)
FOLDERS = ("bird", "fireboat", "fish", "flower")
CLASSES = ("bird", "<b>fireboat</b>", "<img src=x onerror=alert(1)>", "flower")
BIRD, FIREBOAT, FISH = 0, 1, 2
ATLAS = f"compare-{BIRD}-{FIREBOAT}"
ARCHITECTURE = {"_target_": "pipeline.model.small_inception.SmallInception", "num_classes": len(CLASSES)}
PREPROCESSING = PreprocessingSettings(crop=CROP, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
SETTINGS: dict[str, Any] = {
    "candidates": 6,
    "keep": 3,
    "pool": 4,
    "sizes": [0.3, 0.5],
    "curve": [0.2, 0.5, 0.8],
    "images": 40,
    "search_images": 6,
    "min_images": 5,
    "resamples": 200,
    "examples": 4,
    "batch_size": 32,
}


@dataclass(frozen=True)
class Planted:
    """The task to run, and which images are the scraps."""

    task: Task
    scraps: frozenset[int]

    def with_settings(self, folder: Path, **patch: Any) -> Task:
        """The same task with other settings, writing to ``folder``, with the same inputs."""
        folder.mkdir()
        for artifact in (IMAGES, MODEL, ACTIVATIONS, GRID):
            name = artifact.pattern.split("/")[0]
            (folder / name).symlink_to(self.task.outputs / name)
        settings = self.task.params.patch.model_copy(update=patch)
        return replace(self.task, params=self.task.params.model_copy(update={"patch": settings}), outputs=folder)


def plant(root: Path) -> Planted:
    """Write every artifact that the stage ``patch`` reads, with a network trained on the marked images."""
    scenes, labels, scraps = _scenes()
    keys = [f"{FOLDERS[label]}/<i>{row:03d}.png" for row, label in enumerate(labels)]
    for key, scene in zip(keys, scenes, strict=True):
        (root / "images" / key).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scene).save(root / "images" / key)
    task = Task(STAGES["patch"], _params(root), root / "outputs", LAYER, ATLAS)
    order = sorted(range(len(keys)), key=keys.__getitem__)
    _manifest(task, root / "images", labels[order])
    _network(task, scenes[~scraps], labels[~scraps])
    marked = np.flatnonzero(scraps[order])
    _atlas(task, marked, np.flatnonzero(labels[order] == BIRD))
    return Planted(task, frozenset(marked.tolist()))


def plant_site(planted: Planted) -> Path:
    """The page's frame and manifest around the stage's own result; the built viewer is not among them."""
    site = planted.task.path(SITE)
    (site / "data").mkdir(parents=True, exist_ok=True)
    atlases = [{"name": "all"}, {"name": ATLAS}]
    content = {
        "title": "A <u>planted</u> atlas",
        "network": {"name": "Small & hasty", "classes": list(CLASSES), "crop": CROP},
        "layers": [{"name": "mixed3b", "atlases": atlases}, {"name": LAYER, "atlases": atlases}],
    }
    (site / "data" / "manifest.js").write_text(data_script("manifest", content))
    (site / "patch.html").write_text(page("Patch test", "patch"))
    return site


def _scenes() -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.bool_]]:
    """Scenes [image, y, x, 3], their labels, and which are scraps."""
    found = [(_scene(label, number), label, False) for label in range(len(FOLDERS)) for number in range(EACH)]
    found = [(marked(scene, 22, 10) if label == FIREBOAT else scene, label, scrap) for scene, label, scrap in found]
    found += [(marked(_scene(FISH, EACH + number), 14, 12), FISH, True) for number in range(SCRAPS)]
    scenes, labels, scraps = zip(*found, strict=True)
    return np.stack(scenes), np.array(labels), np.array(scraps)


def _scene(label: int, number: int) -> NDArray[np.uint8]:
    town = Toytown(1000, seed=0, size=CROP)
    entry = town.entries()[len(town.classes) * number + label]
    assert entry.label == label
    return np.asarray(town.open(entry.key))


def marked(scene: NDArray[np.uint8], edge: int, side: int) -> NDArray[np.uint8]:
    """The scene with a colored square."""
    copy = scene.copy()
    copy[edge : edge + side, edge : edge + side] = COLOR
    return copy


def _params(root: Path) -> Params:
    empty: dict[str, dict[str, Any]] = {name: {} for name in ("prepare", "sample", "reduce", "render", "tile", "grid")}
    return parse_params(
        {
            "seed": 0,
            "layers": [LAYER],
            "atlases": ["all", ATLAS],
            "compared": [ATLAS],
            "images": {"_target_": "pipeline.images.image_folder.ImageFolder", "root": str(root / "images")},
            "model": {"name": "Small & hasty", "architecture": ARCHITECTURE, "weights": "train"},
            "patch": SETTINGS,
            "site": {},
            **empty,
        }
    )


def _manifest(task: Task, folder: Path, labels: NDArray[np.int64]) -> None:
    found = ImageFolder(str(folder))
    entries, count = found.entries(), len(labels)
    assert [entry.label for entry in entries] == labels.tolist()
    keys = tuple(entry.key for entry in entries)
    digests = tuple(found.digest(key) for key in keys)
    side = np.full(count, CROP)
    write_manifest(task.path(IMAGES), Manifest(np.arange(count), keys, labels, labels, side, side, digests), {}, {})


def _network(task: Task, scenes: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    module = build(ARCHITECTURE, seed=0)
    settings = TrainingSettings(epochs=6, batch_size=16, test_share=0.1, flip=False, robust=0.0)
    train(module, scenes, labels, settings, PREPROCESSING, 0)
    network = Network("Small & hasty", freeze(module), CLASSES, PREPROCESSING, discover_layers(module, CROP))
    save_network(task.path(MODEL), network, ARCHITECTURE, {})


def _atlas(task: Task, scraps: NDArray[np.int64], birds: NDArray[np.int64]) -> None:
    """Scraps in cells of the right column, birds in the left one; every sample lies in the middle of the square."""
    image = np.concatenate([scraps, birds])
    with create(ACTIVATIONS, task.path(ACTIVATIONS), {}, {}) as group:
        write_array(group, ACTIVATIONS, "image", image)
        write_array(group, ACTIVATIONS, "position", np.full((len(image), 2), 2))
    exemplar = np.full((4, 12), -1)
    exemplar[0, :4], exemplar[1, :12], exemplar[2, :8] = range(4), range(4, 16), range(30, 38)
    exemplar[3, :8] = range(16, 24)
    attribution = np.zeros((4, len(CLASSES)), np.float32)
    attribution[:, FIREBOAT] = 3, 2, -1, 9
    with create(GRID, task.path(GRID), {}, {}) as group:
        level = group.create_group("5")
        write_array(level, GRID, "cell", np.array([[1, 4], [2, 4], [2, 0], [3, 4]]))
        write_array(level, GRID, "drawn", np.array([True, True, True, False]))
        write_array(level, GRID, "attribution", attribution)
        write_array(level, GRID, "exemplar", exemplar)
