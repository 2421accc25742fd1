"""Provenance of an atlas on the page."""

import json
from pathlib import Path

import pytest
from browsing import Opener, busiest
from playwright.sync_api import expect
from site_planting import Planted

from pipeline.core.artifacts import ACTIVATIONS, GRID, ICONS, LAYOUT
from pipeline.core.files import file_digest
from pipeline.core.zarr_store import artifact_identity, open_artifact
from pipeline.images.manifest import read_manifest
from pipeline.site.manifest import provenance_content
from pipeline.site.published_settings import published_settings

LAYER = "features.7"


def test_digests_are_those_of_the_artifacts(planted: Planted) -> None:
    """Images, weights and every artifact have the digests stored in them."""
    task, outputs = planted.task, planted.task.outputs
    network = json.loads((outputs / "model/model.json").read_text())
    images = read_manifest(outputs / "images.parquet")
    made = provenance_content(task, network, images)
    for atlas, identities in made["identities"][LAYER].items():
        for kind in (ACTIVATIONS, LAYOUT, GRID, ICONS):
            assert identities[kind.name] == artifact_identity(open_artifact(kind, task.path(kind, LAYER, atlas)))
    assert made["images"] == images.identity
    assert made["network"]["weights"] == file_digest(outputs / "model/weights.safetensors")


def test_only_known_settings_are_shown() -> None:
    """Choices and numbers are shown; paths, URLs, texts of unknown names, secrets and unknown sections are hidden."""
    network = {"name": "mine", "weights": "../../name/x.pth", "classes": "~/names.txt", "prefix_tokens": 5}
    settings = {
        "seed": 3,
        "layers": ["a.b"],
        "grid": {"levels": [10, 20]},
        "images": {
            "_target_": "my.Images",
            "dataset": "CIFAR10",
            "split": "../train",
            "root": "data/x",
            "size": 64,
            "flip": True,
            "deep": [{"url": "https://h/x", "count": 2}, "plain", 1.5],
            "token": 123456,
        },
        "model": network | {"architecture": {"_target_": "my.Net", "width": 8, "activation": "gelu"}},
        "judge": network | {"weights": "DEFAULT", "classes": ["a", "b"], "later": "x"},
        "place": {"title": "Mine", "images": {"_target_": "os/path", "model_name": "resnet18.a1_in1k"}},
        "later": {"x": "y"},
    }
    shown = published_settings(settings)
    assert shown == {
        "seed": 3,
        "layers": ["a.b"],
        "grid": {"levels": [10, 20]},
        "images": {
            "_target_": "my.Images",
            "dataset": "CIFAR10",
            "split": "…",
            "root": "…",
            "size": 64,
            "flip": True,
            "deep": [{"url": "…", "count": 2}, "…", 1.5],
            "token": "…",
        },
        "model": network
        | {"weights": "…", "classes": "…", "architecture": {"_target_": "my.Net", "width": 8, "activation": "…"}},
        "judge": network | {"weights": "DEFAULT", "classes": ["a", "b"], "later": "…"},
        "place": {"title": "Mine", "images": {"_target_": "…", "model_name": "resnet18.a1_in1k"}},
        "later": "…",
    }
    assert published_settings(shown) == shown


def test_no_folder_reaches_the_page(planted: Planted) -> None:
    """The manifest contains no folder of the run."""
    assert str(planted.task.outputs.parent) not in (planted.site / "data/manifest.js").read_text()
    assert Path.home().as_posix() + "/" not in (planted.site / "data/manifest.js").read_text()


@pytest.mark.browser
def test_the_page_shows_the_provenance(opened: Opener, planted: Planted) -> None:
    """The button in the caption opens the digests of the shown atlas, its seed, version and settings."""
    page = opened(f"#layer={LAYER}&level=20")
    page.get_by_role("button", name="Provenance").click()
    dialog = page.get_by_role("dialog", name="Provenance of this atlas")
    icons = open_artifact(ICONS, planted.task.path(ICONS, LAYER, "all"))
    expect(dialog).to_contain_text(artifact_identity(icons))
    expect(dialog).to_contain_text(str(icons.attrs["project_version"]))
    expect(dialog).to_contain_text(file_digest(planted.task.outputs / "model/weights.safetensors"))
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


@pytest.mark.browser
def test_a_pinned_cell_shows_its_provenance_command(opened: Opener, planted: Planted) -> None:
    """The panel contains the provenance command of the cell; a click on Copy selects it."""
    level = planted.levels[LAYER, 20]
    row, column = level.cell[busiest(level)]
    page = opened(f"#layer={LAYER}&level=20&pin=20.{row}.{column}")
    command = f"atlas provenance layer={LAYER} atlas=all level=20 cell={row},{column}"
    expect(page.locator(".panel .copyable code")).to_have_text(command)
    page.get_by_role("button", name="Copy", exact=True).click()
    assert page.evaluate("getSelection().toString()").strip() == command
