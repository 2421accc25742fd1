"""From an icon back to everything it was made from, on a run of the real stages."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.__main__ import main
from pipeline.core import artifacts as a
from pipeline.core.files import file_digest, identity
from pipeline.core.icon_styles import style_group
from pipeline.core.zarr_store import array, level, open_artifact
from pipeline.images.manifest import read_manifest
from pipeline.provenance.cell import started_from
from tests.tiny_run import LAYER, checkout, photograph, run, run_one

LEVEL = 4
ASKED = ["provenance", f"layer={LAYER}", f"level={LEVEL}"]
IMAGES = 16


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which the pipeline has run once."""
    folder = checkout(tmp_path_factory.mktemp("made"))
    for number in range(IMAGES):
        photograph(folder / "photographs" / "ab"[number % 2] / f"{number}.png", number)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run(folder, "render.styles=[drawn,accentuated]", leave_out=("predict",))
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that checkout, as the current folder."""
    folder = tmp_path / "copy"
    shutil.copytree(made, folder, symlinks=True)
    monkeypatch.chdir(folder)
    return folder


def cells(folder: Path) -> list[str]:
    """All drawn cells of the level, as the command names them."""
    grid = level(open_artifact(a.GRID, a.GRID.path(folder / "outputs", LAYER, "all")), LEVEL)
    places = np.asarray(array(grid, "cell")[...])[np.asarray(array(grid, "drawn")[...])]
    return [f"{row},{column}" for row, column in places]


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """What the command prints as JSON."""
    assert main([*ASKED, *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line with which the command ends."""
    assert main([*ASKED, *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


def test_every_sample_leads_back_to_its_image(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Over all cells of a level each sample is listed once, with the image and position that activations hold."""
    activations = open_artifact(a.ACTIVATIONS, a.ACTIVATIONS.path(here / "outputs", LAYER))
    image, position = (np.asarray(array(activations, name)[...]) for name in ("image", "position"))
    manifest = read_manifest(here / "outputs" / "images.parquet")
    grid = level(open_artifact(a.GRID, a.GRID.path(here / "outputs", LAYER, "all")), LEVEL)
    counted: list[int] = []
    for row, column in np.asarray(array(grid, "cell")[...]):
        found = told(capsys, f"cell={row},{column}")
        assert len(found["samples"]) == found["cell"]["count"]
        for sample in found["samples"]:
            assert sample["image"] == image[sample["sample"]]
            assert sample["position"] == position[sample["sample"]].tolist()
        for about in found["images"]:
            assert (
                about["digest"] == manifest.digest[about["image"]] == file_digest(here / "photographs" / about["key"])
            )
        assert {about["image"] for about in found["images"]} == {sample["image"] for sample in found["samples"]}
        counted += [sample["sample"] for sample in found["samples"]]
    assert sorted(counted) == list(range(IMAGES * 4))


def test_icon_network_settings_and_code_are_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The icon's measures, its parent, the weights' digest, each stage's settings and the version are those on disk."""
    place = cells(here)[0]
    found = told(capsys, f"cell={place}")
    icons = level(open_artifact(a.ICONS, a.ICONS.path(here / "outputs", LAYER, "all")), LEVEL)
    assert found["icon"]["fidelity"] == pytest.approx(float(array(icons, "fidelity")[0]))
    (parent,) = found["icon"]["parents"]
    row, column = map(int, place.split(","))
    assert (parent["level"], parent["cell"]) == (2, [row // 2, column // 2])
    assert found["network"]["weights"] == file_digest(here / "outputs/model/weights.safetensors")
    chain = {link["artifact"]: link for link in found["chain"]}
    assert [*chain] == ["images", "model", "activations", "reference", "layout", "grid", "icons", "tiles", "site"]
    assert chain["icons"]["settings"]["render"]["steps"] == 2
    assert chain["icons"]["made_from"]["grid"] == chain["grid"]["identity"]
    assert chain["site"]["made_from"]["icons"] == chain["icons"]["identity"]
    assert found["code"]["version"] == chain["icons"]["project_version"]


def test_icons_tell_what_they_were_drawn_from(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its keys an icon starts from the enclosing cell's icon or from noise."""
    icons = a.ICONS.path(here / "outputs", LAYER, "all")
    stored = [bytes(key).hex() for key in np.asarray(array(level(open_artifact(a.ICONS, icons), LEVEL), "key")[...])]
    from_others = 0
    for place, key in zip(cells(here), stored, strict=True):
        icon = told(capsys, f"cell={place}")["icon"]
        above = icon["parents"][0]["icon"]
        assert icon["key"] == key
        if icon["parent"] is None:
            assert icon["started_from"] == "noise" or key == above["key"]
        else:
            from_others += 1
            assert icon["parent"] == above["key"]
            assert icon["started_from"] == "the parent cell's icon"
    assert from_others, "some icon has a parent"


def test_icons_of_another_style_are_told_by_its_name(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a style the first one's icon is traced; the other's is the one stored there, and started from a patch."""
    place = cells(here)[0]
    traces = [told(capsys, f"cell={place}", *style) for style in ([], ["style=drawn"], ["style=accentuated"])]
    assert [trace["query"]["style"] for trace in traces] == ["drawn", "drawn", "accentuated"]
    first, named, other = (trace["icon"] for trace in traces)
    assert first == named
    icons = open_artifact(a.ICONS, a.ICONS.path(here / "outputs", LAYER, "all"))
    for icon, style in ((first, "drawn"), (other, "accentuated")):
        stored = np.asarray(array(level(style_group(icons, style), LEVEL), "key")[0])
        assert (icon["style"], icon["key"]) == (style, bytes(stored).hex())
        assert icon["parents"][0]["icon"]["key"] != icon["key"]
    assert other["started_from"] == f"the patch of the nearest exemplar (pixels sha256 {other['parent']})"


def test_an_icon_that_could_not_be_drawn_is_said_to_be_drawn_from_nothing() -> None:
    """Without key and parent an icon was not drawn; with a key alone it was drawn from noise."""
    assert "could not be drawn" in started_from({"key": None, "parent": None}, [], "drawn")
    assert started_from({"key": "ab", "parent": None}, [], "drawn") == "noise"


def test_the_text_is_complete(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The text names the cell, every exemplar's file, the settings and all artifacts."""
    place = cells(here)[0]
    found = told(capsys, f"cell={place}")
    assert main([*ASKED, f"cell={place}"]) == 0
    text = capsys.readouterr().out
    row, column = (int(number) for number in place.split(","))
    assert f"cell {place} (row {row}, column {column})" in text
    for exemplar in found["exemplars"]:
        assert exemplar["key"] in text
        assert exemplar["file"] == "unchanged"
    for link in found["chain"]:
        assert link["path"] in text
    assert '"steps": 2' in text


def test_a_changed_image_is_noticed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An exemplar's file that has changed or is missing is reported."""
    place = cells(here)[0]
    first = told(capsys, f"cell={place}")["exemplars"]
    photograph(here / "photographs" / first[0]["key"], 99)
    (here / "photographs" / first[1]["key"]).unlink()
    again = told(capsys, f"cell={place}")["exemplars"]
    assert [one["file"] for one in again] == ["changed", "missing", *["unchanged"] * (len(first) - 2)]


def restamp(path: Path, **changes: Any) -> None:
    """Change attributes of a stored artifact, as if another run had made it."""
    stored = json.loads((path / "zarr.json").read_text())
    stored["attributes"] |= changes
    (path / "zarr.json").write_text(json.dumps(stored))


def break_grid(folder: Path) -> None:
    """The grid of another run."""
    path = a.GRID.path(folder / "outputs", LAYER, "all")
    other = a.GRID.attributes({"grid": {}}, {"activations": "f" * 64, "layout": "e" * 64})
    restamp(path, **other, identity=identity(other))


def break_settings(folder: Path) -> None:
    """Settings that are not those it was made with."""
    restamp(a.ICONS.path(folder / "outputs", LAYER, "all"), settings={"seed": 5})


def break_weights(folder: Path) -> None:
    """One byte of the weights."""
    path = folder / "outputs/model/weights.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def break_layout(folder: Path) -> None:
    """The layout is made anew with another setting; what follows from it is not."""
    text = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(text.replace("margin: 0.1", "margin: 0.2"))
    run_one(folder, "reduce")


def break_tiles(folder: Path) -> None:
    """Tiles of other icons."""
    path = a.TILES.path(folder / "outputs", LAYER, "all") / "tiles.json"
    stored = json.loads(path.read_text())
    stored["made_from"]["icons"] = "0" * 64
    path.write_text(json.dumps(stored))


def break_page(folder: Path) -> None:
    """A page that shows other icons."""
    path = folder / "outputs/site/data/manifest.js"
    icons = open_artifact(a.ICONS, a.ICONS.path(folder / "outputs", LAYER, "all")).attrs["identity"]
    path.write_text(path.read_text().replace(str(icons), "1" * 64))


BREAKS: dict[Callable[[Path], None], list[str]] = {
    break_grid: ["grid", "other activations", "run grid again"],
    break_settings: ["icons", "was changed", "run render again"],
    break_weights: ["model", "was changed", "run prepare again"],
    break_layout: ["grid", "other layout", "run grid again"],
    break_tiles: ["tiles", "run tile again"],
    break_page: ["site", "other icons", "run site again"],
}


@pytest.mark.parametrize("damage", BREAKS, ids=lambda damage: damage.__name__)
def test_a_broken_chain_is_told_in_one_line(
    damage: Callable[[Path], None], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever an artifact was not made from the one below it, a line says which and what to run."""
    place = cells(here)[0]
    damage(here)
    capsys.readouterr()
    line = refused(capsys, f"cell={place}")
    for word in BREAKS[damage]:
        assert word in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["cell=ROW,COLUMN"]),
        (["cell=3"], ["row,column"]),
        (["cell=9,9"], ["occupied cell", "nearest"]),
        (["cell=0,0", "level=5"], ["one of 2, 4"]),
        (["cell=0,0", "layer=other"], [LAYER]),
        (["cell=0,0", "atlas=\x1b[31m\n"], ["one of all", "\\x1b[31m"]),
        (["cell=0,0", "color=red"], ["cell=ROW,COLUMN"]),
        (["cell=0,0", "style=painted"], ["style", "one of drawn, accentuated"]),
    ],
)
def test_mistakes_are_told_in_one_line(
    arguments: list[str], words: list[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Missing, unknown and misspelt arguments are answered with what is expected."""
    del here
    line = refused(capsys, *arguments)
    for word in words:
        assert word in line


def test_a_missing_artifact_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without icons there is nothing to ask about, and the line says what is missing."""
    shutil.rmtree(a.ICONS.path(here / "outputs", LAYER, "all"))
    assert "icons" in refused(capsys, "cell=0,0")
