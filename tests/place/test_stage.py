import base64
import json
import shutil
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from omegaconf import OmegaConf
from PIL import Image

from pipeline.compose import compose_config
from pipeline.config.model import PreprocessingSettings
from pipeline.config.params import parse_params
from pipeline.core import site_data
from pipeline.core.artifacts import ACTIVATIONS, IMAGES, LAYOUT, MODEL, PLACE
from pipeline.core.cells import assign_cells
from pipeline.core.zarr_store import array, create, open_artifact, write_array
from pipeline.images.crops import network_crop
from pipeline.images.image_folder import ImageFolder
from pipeline.images.manifest import Manifest, write_manifest
from pipeline.model.build import build, freeze
from pipeline.model.discovery import discover_layers
from pipeline.model.network import Network, save_network
from pipeline.place.stage import run
from pipeline.sample import stage as sampling
from pipeline.stages import STAGES, Task

ROOT = Path(__file__).parents[2]
ARCHITECTURE = {"_target_": "torchvision.models.squeezenet1_1", "num_classes": 4}
GRAY = (51, 102, 153)  # the mean: what the network is given is zero, and so is all that it answers
PREPROCESSING = PreprocessingSettings(resize=72, crop=64, mean=(0.2, 0.4, 0.6))
LAYER, COUNT, PLACES, LEVELS = "features.4", 9, 6, [2, 4]


@dataclass(frozen=True)
class Run:
    """An atlas of nine pictures of noise below ``root``, the image of every sample, and where the samples lie."""

    root: Path
    image: NDArray[np.int64]
    xy: NDArray[np.float32]
    keys: tuple[str, ...]

    def task(self, folder: Path, **place: Any) -> Task:
        """The stage on the images of ``folder`` as the second set."""
        return Task(STAGES["place"], _params(self.root, folder, **place), self.root / "outputs", LAYER)


def _params(root: Path, second: Path, **place: Any) -> Any:
    overrides = [
        "images=image_folder",
        f"images.root={root / 'images'}",
        f"layers=[{LAYER}]",
        "sample.attribution=false",
    ]
    overrides += ["+images@place.images=image_folder", f"place.images.root={second}", f"grid.levels={LEVELS}"]
    overrides += [f"sample.positions_per_image={PLACES}", *(f"place.{key}={value}" for key, value in place.items())]
    return parse_params(OmegaConf.to_container(compose_config(ROOT, overrides)))


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A small network, pictures, the samples that the real stage takes of them, and a layout strewn at random."""
    root = tmp_path_factory.mktemp("run")
    random = np.random.default_rng(0)
    for number in range(COUNT):
        path = root / "images" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(random.integers(0, 256, (80, 90, 3), np.uint8)).save(path)
    entries = ImageFolder(str(root / "images"))
    keys = tuple(entry.key for entry in entries.entries())
    unlabeled, width, height = np.full(COUNT, -1), np.full(COUNT, 90), np.full(COUNT, 80)
    digests = tuple(entries.digest(key) for key in keys)
    manifest = Manifest(np.arange(COUNT), keys, unlabeled, unlabeled, width, height, digests)
    write_manifest(IMAGES.path(root / "outputs"), manifest, {}, {})
    module = freeze(build(ARCHITECTURE))
    network = Network("n", module, tuple("abcd"), PREPROCESSING, discover_layers(module, 64))
    save_network(MODEL.path(root / "outputs"), network, ARCHITECTURE, {})
    sampling.run(Task(STAGES["sample"], _params(root, root / "images"), root / "outputs"))
    stored = open_artifact(ACTIVATIONS, ACTIVATIONS.path(root / "outputs", LAYER))
    activation = np.asarray(array(stored, "activation")[:])
    assert len(np.unique(activation, axis=0)) == len(activation), "all samples are distinct"
    xy = random.random((len(activation), 2), np.float32)
    with create(LAYOUT, LAYOUT.path(root / "outputs", LAYER, "all"), {}, {}) as group:
        write_array(group, LAYOUT, "sample", np.arange(len(activation)))
        write_array(group, LAYOUT, "xy", xy)
    return Run(root, np.asarray(array(stored, "image")[:]), xy, keys)


def part(task: Task, name: str) -> Any:
    """The content of a data file, checked to be assigned to its own name."""
    head, _, body = (task.path(PLACE) / f"{name}.js").read_text("ascii").partition("]=")
    assert json.loads(head.removeprefix("(self.atlasParts??={})[")) == f"place/{LAYER}/{name}"
    return json.loads(body.removesuffix(";\n"))


def numbers(packed: dict[str, Any]) -> NDArray[np.int64]:
    """A packed array of whole numbers."""
    return np.frombuffer(zlib.decompress(base64.b64decode(packed["data"])), packed["type"]).astype(np.int64)


def images_of_cells(task: Task) -> list[list[str]]:
    """For each cell of the finest level the keys of the second set's images in it, one for each sample."""
    place = part(task, "place")
    blocks = sorted(task.path(PLACE).glob("members-*.js"), key=lambda path: int(path.stem.split("-")[1]))
    listed = np.concatenate([numbers(part(task, path.stem)["image"]) for path in blocks])
    names = part(task, "images/0")
    ends = np.cumsum(numbers(place["levels"][f"{LEVELS[-1]}"]["count"]))
    assert ends[-1] == len(listed) == place["samples"]
    cells = np.split(listed, ends[:-1])
    return [sorted(names[f"{image}"][0] for image in cell) for cell in cells]


@pytest.mark.parametrize("block", [2**16, 7])
def test_the_same_images_fall_into_their_own_cells(
    atlas: Run, tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Placed again under other names and in another order, the atlas's images fill each cell with just its own."""
    monkeypatch.setattr(site_data, "MEMBERS_PER_BLOCK", block)
    renamed = {key: f"{'xyz'[number % 3]}/{COUNT - number}.png" for number, key in enumerate(atlas.keys)}
    for key, name in renamed.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(atlas.root / "images" / key, tmp_path / name)
    task = atlas.task(tmp_path)
    run(task)
    assert len(list(task.path(PLACE).glob("members-*.js"))) == -(-COUNT * PLACES // block)
    level = assign_cells(atlas.xy, LEVELS)[-1]
    keys = np.array([renamed[key] for key in atlas.keys])[atlas.image]
    expected = [sorted(keys[level.of_point == cell]) for cell in range(len(level.cell))]
    assert images_of_cells(task) == expected
    assert len({tuple(cell) for cell in expected}) == len(expected) > 10, "no cell could be taken for another"
    names = part(task, "images/0")
    assert sorted(name for name, _, _ in names.values()) == sorted(renamed.values())
    assert all(label == name.split("/")[0] for name, label, _ in names.values())


def test_samples_without_a_place_are_in_no_cell(atlas: Run, tmp_path: Path) -> None:
    """An image whose activation is zero has no direction: it is counted as unplaced and listed nowhere."""
    shutil.copytree(atlas.root / "images", tmp_path / "images")
    Image.new("RGB", (80, 80), GRAY).save(tmp_path / "images" / "5 gray.png")
    task = atlas.task(tmp_path / "images")
    run(task)
    found = [key for cell in images_of_cells(task) for key in cell]
    assert sorted(found) == sorted(np.repeat(atlas.keys, PLACES))
    metrics = json.loads((task.outputs / "metrics/place" / f"{LAYER}.json").read_text())
    assert (metrics["images"], metrics["samples"], metrics["unplaced"]) == (COUNT + 1, (COUNT + 1) * PLACES, PLACES)
    assert metrics["shared"] == {"2": pytest.approx(1), "4": pytest.approx(1)}


@pytest.mark.parametrize(("pictures", "rows"), [(0, []), (3, [0, 3, 6]), (1000, [*range(COUNT)])])
def test_pictures_are_as_many_as_asked_for(atlas: Run, pictures: int, rows: list[int]) -> None:
    """So many images have a picture, which is the network's crop, and are marked; the others are listed by name."""
    task = atlas.task(atlas.root / "images", pictures=pictures)
    run(task)
    stored = {path.relative_to(task.path(PLACE)).as_posix() for path in task.path(PLACE).rglob("*") if path.is_file()}
    scripts = {"place.js", "members-0.js", "images/0.js"}
    assert stored == {f"images/0/{row}.webp" for row in rows} | scripts
    assert part(task, "images/0") == {f"{row}": [key, None, int(row in rows)] for row, key in enumerate(atlas.keys)}
    for row in rows:
        crop = network_crop(Image.open(atlas.root / "images" / atlas.keys[row]), PREPROCESSING)
        picture = Image.open(task.path(PLACE) / f"images/0/{row}.webp")
        assert picture.size == crop.size
        near = [
            np.abs(np.asarray(picture, float) - np.asarray(other, float)).mean()
            for other in (crop, crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
        ]
        assert near[0] < 0.7 * near[1]
