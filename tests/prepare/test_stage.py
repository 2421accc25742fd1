"""The stage ``prepare``: from a configuration to the manifest and the saved network."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image
from safetensors.torch import save_file

from pipeline.config.params import parse_params
from pipeline.core.errors import AtlasError, ConfigError, ImageError, ModelError
from pipeline.images.manifest import read_manifest
from pipeline.model.build import build
from pipeline.model.network import load_network
from pipeline.prepare.stage import run
from pipeline.stages import STAGES, Task

CONF = Path(__file__).parents[2] / "conf"
SMALL: dict[str, Any] = {
    "name": "small",
    "architecture": {"_target_": "pipeline.model.small_inception.SmallInception"},
    "weights": "train",
    "preprocessing": {"crop": 32},
    "training": {"epochs": 2, "batch_size": 8, "flip": False},
}
TOYTOWN = {"_target_": "pipeline.images.toytown.toytown.Toytown", "count": 60, "seed": 0, "size": 32}


def task(outputs: Path, images: dict[str, Any], model: dict[str, Any], **prepare: Any) -> Task:
    """The stage's task with these sections, all else as shipped."""
    shipped = {
        name: OmegaConf.to_container(OmegaConf.load(CONF / name / f"{option}.yaml"))
        for name, option in (("sample", "default"), ("reduce", "pca"), ("tile", "default"))
    }
    sections = {"grid": {}, "render": {}, "site": {}, "images": images, "model": model, "prepare": prepare} | shipped
    return Task(
        STAGES["prepare"], parse_params({"seed": 0, "layers": ["mixed4b"], "atlases": ["all"]} | sections), outputs
    )


def folder(root: Path, *classes: str, count: int = 6) -> dict[str, Any]:
    """An image folder with these classes, each of a color of its own."""
    for index, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for number in range(count):
            color = (250 if index else 10, 10 * number, 100)
            Image.new("RGB", (40, 36), color).save(root / name / f"{number}.png")
    return {"_target_": "pipeline.images.image_folder.ImageFolder", "root": str(root)}


def metrics(outputs: Path) -> dict[str, Any]:
    """The metrics that the stage wrote."""
    found: dict[str, Any] = json.loads((outputs / "metrics" / "prepare.json").read_text())
    return found


def test_toytown_is_listed_and_a_network_trained(tmp_path: Path) -> None:
    """Manifest, network and metrics agree with the image set, and a second run gives the same weights."""
    for name in ("one", "two"):
        run(task(tmp_path / name, TOYTOWN, SMALL))
    manifest = read_manifest(tmp_path / "one" / "images.parquet")
    assert len(manifest) == 60
    assert manifest.class_.tolist() == manifest.label.tolist() == [index % 10 for index in range(60)]
    network = load_network(tmp_path / "one" / "model", "cpu")
    assert network.classes[0] == "bird"
    assert len(network.classes) == 10
    assert (network.layers["mixed4b"].channels, network.layers["mixed4b"].height) == (192, 4)
    found = metrics(tmp_path / "one")
    assert (found["images"], found["rejected"], found["train_images"]) == (60, 0, 50)
    assert found["test_images"] == 10
    weights = [(tmp_path / name / "model" / "weights.safetensors").read_bytes() for name in ("one", "two")]
    assert weights[0] == weights[1]
    assert manifest.identity == read_manifest(tmp_path / "two" / "images.parquet").identity


def test_classes_that_the_network_lacks_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line names the classes of the image set that match none of the network, and there is none if all match."""
    images = folder(tmp_path / "images", *"abcdefgh")
    lines = {}
    for classes in (("a", "z"), tuple("hgfedcba")):
        run(task(tmp_path / "out", images, SMALL | {"weights": "random", "classes": classes}))
        lines[classes[0]] = [line for line in capsys.readouterr().err.splitlines() if "no class called" in line]
    (line,) = lines["a"]
    assert "no class called 'b', 'c', 'd', 'e', 'f' and 2 more" in line
    assert lines["h"] == []


def test_bad_files_are_rejected_and_the_rest_used(tmp_path: Path) -> None:
    """A folder with broken files loses just these, each with its reason."""
    images = folder(tmp_path / "images", "a", "b")
    (tmp_path / "images" / "a" / "empty.png").touch()
    (tmp_path / "images" / "b" / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"0" * 20)
    run(task(tmp_path / "out", images, SMALL | {"weights": "random", "classes": ("a", "b")}))
    assert len(read_manifest(tmp_path / "out" / "images.parquet")) == 12
    rejected = pq.read_table(tmp_path / "out" / "rejected.parquet")
    assert rejected["key"].to_pylist() == ["a/empty.png", "b/cut.jpg"]
    assert all(rejected["reason"].to_pylist())
    assert metrics(tmp_path / "out")["rejected"] == 2


def test_given_weights_are_measured_on_the_labels(tmp_path: Path) -> None:
    """A network that always says class b is right on the images of class b, all of them in its first five."""
    module = build(SMALL["architecture"], 2, seed=0)
    state = {name: value.clone() for name, value in module.state_dict().items()}
    state["linear.weight"] = torch.zeros_like(state["linear.weight"])
    state["linear.bias"] = torch.tensor([0.0, 1.0])
    save_file(state, tmp_path / "weights.safetensors")
    images = folder(tmp_path / "images", "a", "b", "other")
    model = SMALL | {"weights": str(tmp_path / "weights.safetensors"), "classes": ("a", "b")}
    run(task(tmp_path / "out", images, model))
    found = metrics(tmp_path / "out")
    assert (found["images"], found["labeled"]) == (18, 12)
    assert (found["top1"], found["top5"]) == (0.5, 1.0)
    run(task(tmp_path / "quiet", images, model, evaluate=False, limit=6))
    assert "top1" not in metrics(tmp_path / "quiet")
    assert metrics(tmp_path / "quiet")["images"] == 6


MISTAKES: dict[str, tuple[tuple[str, ...], dict[str, Any], type[AtlasError], str]] = {
    "no labels": ((".",), {}, ConfigError, "expected labels to train on"),
    "one class": (("a",), {}, ConfigError, "found only 'a'"),
    "other number of classes": (("a", "b"), {"classes": ("a", "b", "c")}, ConfigError, "expected 2 names"),
    "other number of logits": (
        ("a", "b"),
        {"weights": "random", "classes": ("a", "b"), "architecture": SMALL["architecture"] | {"num_classes": 3}},
        ConfigError,
        "expected 3 names",
    ),
    "no logits": (
        ("a", "b"),
        {"weights": "random", "architecture": {"_target_": "torch.nn.Conv2d", "in_channels": 3, "out_channels": 2,
                                               "kernel_size": 3}},
        ModelError,
        "expected logits",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_end_in_one_line_and_leave_nothing(name: str, tmp_path: Path) -> None:
    """Each mistake is reported in one line, and nothing is written that a later stage could read."""
    classes, changes, kind, complaint = MISTAKES[name]
    (tmp_path / "images").mkdir()
    if classes == (".",):
        Image.new("RGB", (40, 36)).save(tmp_path / "images" / "1.png")
    images = folder(tmp_path / "images", *(name for name in classes if name != "."))
    with pytest.raises(kind, match=complaint) as caught:
        run(task(tmp_path / "out", images, SMALL | changes))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_unusable_images_are_named(tmp_path: Path) -> None:
    """A folder of nothing but text, and one whose second class is all broken, say what was found."""
    root = tmp_path / "text"
    (root / "a").mkdir(parents=True)
    (root / "b").mkdir()
    (root / "a" / "notes.txt").write_text("text")
    (root / "b" / "notes.txt").write_text("text")
    images = {"_target_": "pipeline.images.image_folder.ImageFolder", "root": str(root)}
    with pytest.raises(ImageError, match=r"found 2 unusable ones \(a/notes.txt: not an image"):
        run(task(tmp_path / "out", images, SMALL))
    Image.new("RGB", (40, 36)).save(root / "a" / "1.png")
    with pytest.raises(ImageError, match="two classes or more to train on, found 'a' only"):
        run(task(tmp_path / "out", images, SMALL))


def test_a_class_without_a_usable_image_is_no_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The trained network has the other classes, in order; with an atlas of one that would move, a line says so."""
    images = folder(tmp_path / "images", "a", "b", "c")
    for path in (tmp_path / "images" / "b").iterdir():
        path.write_bytes(b"no image")
    run(task(tmp_path / "out", images, SMALL))
    network = load_network(tmp_path / "out" / "model", "cpu")
    assert network.classes == ("a", "c")
    assert network.module(torch.zeros(1, 3, 32, 32)).shape == (1, 2)
    assert read_manifest(tmp_path / "out" / "images.parquet").class_.tolist() == [0] * 6 + [1] * 6
    assert "no usable image of 'b': the network is trained without" in capsys.readouterr().err
    moved = task(tmp_path / "moved", images, SMALL)
    moved = replace(moved, params=moved.params.model_copy(update={"atlases": ("all", "class-2")}))
    with pytest.raises(ConfigError, match="found none of 'b', without which other classes have other numbers"):
        run(moved)


@pytest.mark.long
@pytest.mark.real
def test_squeezenet_names_photographs(real_data: Path, tmp_path: Path) -> None:
    """The real SqueezeNet names 62 % of the 1,000 photographs right at resize 256, crop 227."""
    classes = str(real_data / "classes.tsv")
    images = {
        "_target_": "pipeline.images.image_folder.ImageFolder",
        "root": str(real_data / "images"),
        "classes": classes,
    }
    model = {
        "name": "squeezenet",
        "architecture": {"_target_": "torchvision.models.squeezenet1_0", "num_classes": 1000},
        "weights": str(real_data / "squeezenet1_0.safetensors"),
        "classes": classes,
        "preprocessing": {"resize": 256, "crop": 227},
    }
    run(task(tmp_path / "out", images, model))
    found = metrics(tmp_path / "out")
    assert (found["images"], found["rejected"], found["labeled"]) == (1000, 0, 1000)
    assert found["top1"] == pytest.approx(0.620, abs=0.006)
    assert found["top5"] == pytest.approx(0.838, abs=0.012)
