"""The stage ``explain`` on tiny runs."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

from pipeline.commands import OUTPUTS, run_stage
from pipeline.compose import compose_config, write_params
from pipeline.config.params import Params, parse_params
from pipeline.core.artifacts import EXPLAIN, HEATMAPS
from pipeline.core.errors import ConfigError, ModelError
from pipeline.core.files import folder_digest
from pipeline.core.resumable import WORK
from pipeline.core.site_data import read_data_script
from pipeline.core.zarr_store import array, open_artifact
from pipeline.explain.pictures import SIDE
from pipeline.explain.worker import Arrays, Rows, Worker
from pipeline.plan.check import check_run
from tests.tiny_run import LAYER, TINY, checkout, photograph, run_one

IMAGES = 12
FAST = (
    "explain.images=6",
    "explain.integration_steps=2",
    "explain.occlusion_size=0.5",
    "explain.occlusion_stride=0.5",
    "explain.curve_steps=2",
    "explain.mosaics=1",
    "explain.randomized_images=2",
    "explain.randomized_steps=2",
    "explain.neighbors=2",
    "explain.fooling=false",
    "explain.resamples=20",
)


@pytest.fixture
def project(in_tmp: Path) -> Path:
    """A checkout with some photographs and a network with random weights."""
    for number in range(IMAGES):
        photograph(in_tmp / "photographs" / f"{number % 3}" / f"{number:02d}.png", number)
    checkout(in_tmp)
    compose(in_tmp)
    run_before()
    return in_tmp


def run_before() -> None:
    """The stages that this one reads from."""
    for name in ("prepare", "sample", "reduce", "grid", "render"):
        run_one(Path(), name)


def compose(
    folder: Path, *overrides: str, base: Sequence[str] = TINY, architecture: Mapping[str, Any] | None = None
) -> Params:
    """Write the parameters of a tiny run."""
    config = compose_config(folder, [*base, *FAST, *overrides])
    if architecture is not None:
        config.model.architecture = architecture
    write_params(folder, config)
    return parse_params(OmegaConf.to_container(config))


def explain(layer: str = "logits") -> Path:
    """Run the stage; its folder."""
    run_stage("explain", [f"layer={layer}"])
    return EXPLAIN.path(OUTPUTS, layer=layer)


def read(layer: str = "logits") -> Any:
    """The content of the page."""
    return read_data_script(EXPLAIN.path(OUTPUTS, layer=layer) / "explain.js")


def test_every_image_has_a_map_by_every_method(project: Path) -> None:
    """The page, the pictures and the numbers agree, and a second run has the same bytes."""
    params = compose(project)
    assert params.explained_layers == ("logits",)
    folder = explain()
    content = read()
    names = [f"{one['method']}@{one['layer']}" if one["layer"] else one["method"] for one in content["columns"]]
    assert len(names) == len(set(names)) == 10
    assert len(content["rows"]) == 6 == len({row["image"] for row in content["rows"]})
    stored = open_artifact(HEATMAPS, HEATMAPS.path(OUTPUTS, layer="logits"))
    assert np.asarray(array(stored, "image")[...]).tolist() == [row["image"] for row in content["rows"]]
    for number, (name, column) in enumerate(zip(names, content["columns"], strict=True)):
        heat = np.asarray(array(stored, f"{name}/heatmap")[...])
        assert heat.shape == (6, *column["grid"])
        assert np.isfinite(heat).all()
        constant = [row["cells"][number]["constant"] for row in content["rows"]]
        assert column["constant"] == sum(constant)
        assert constant == [float(np.ptp(one)) <= 1e-6 * float(np.abs(one).max()) for one in heat]
        assert len(column["curves"]["deletion"]) == (3 if column["constant"] < 6 else 0)
        for key in ("deletion", "insertion"):
            found = column["verdict"][key]
            assert found is None or 0 <= found["low"] <= found["value"] <= found["high"] <= 1
        assert len(column["verdict"]["randomization"]) == len(content["randomization"]["steps"]) == 2
    for row in content["rows"]:
        with Image.open(folder / f"rows/{row['strip']}.webp") as strip:
            assert strip.size == (SIDE * 11, SIDE)
        assert 0 <= row["share"] <= 1
        assert len(content["neighbors"]["images"][f"{row['image']}"]["pixels"]) == 2
    assert all((folder / f"thumbnails/{row}.webp").is_file() for row in content["neighbors"]["names"])
    metrics = json.loads((OUTPUTS / "metrics/explain/logits.json").read_text())
    assert list(metrics) == names
    before = folder_digest(folder)
    assert folder_digest(explain()) == before


@pytest.mark.usefixtures("project")
def test_a_killed_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks that were finished before the run broke off are not done again; the bytes are those of one run."""
    whole = folder_digest(explain())
    shutil.rmtree(OUTPUTS / ".cache/resumable/site/explain")
    done: list[Rows] = []
    real = Worker.explain

    def once(worker: Worker, rows: Rows) -> Arrays:
        if done:
            raise KeyboardInterrupt
        done.append(rows)
        return real(worker, rows)

    monkeypatch.setattr(Worker, "explain", once)
    with pytest.raises(KeyboardInterrupt):
        explain()
    assert len(done) == 1

    def rest(worker: Worker, rows: Rows) -> Arrays:
        assert rows not in done
        return real(worker, rows)

    monkeypatch.setattr(Worker, "explain", rest)
    assert folder_digest(explain()) == whole


def test_units_are_explained_too(project: Path) -> None:
    """A layer's channels get heat maps of their own, without what is for classes alone."""
    params = compose(project, f"+explain.units={{{LAYER}: [3, 7]}}", "explain.layers=[mixed3a]")
    assert params.explained_layers == ("logits", LAYER)
    folder = explain(LAYER)
    content = read(LAYER)
    first, second = content["rows"][:2]
    assert (first["image"], first["unit"], second["image"], second["unit"]) == (first["image"], 3, first["image"], 7)
    assert {one["method"] for one in content["columns"]} & {"cam", "occlusion_probability"} == set()
    assert content["neighbors"] is content["mosaics"] is content["fooling"] is None
    assert len(list((folder / "rows").iterdir())) == 12


def test_an_image_set_with_masks_has_the_pointing_game(in_tmp: Path) -> None:
    """Toytown has masks: every column and control has figures of the pointing game; the center's share is known."""
    checkout(in_tmp)
    others = [one for one in TINY if not one.startswith("images")]
    compose(in_tmp, "images=toytown", "images.count=20", "explain.classes=label", base=others)
    run_before()
    explain()
    content = read()
    for column in content["columns"]:
        assert column["constant"] == 6 or 0 <= column["verdict"]["mask_iou"]["value"] <= 1
    center, random = content["controls"]["center"], content["controls"]["random"]
    assert center["mask_iou"]["value"] > random["mask_iou"]["value"]
    assert [row["name"] for row in content["rows"]] == [row["label"] for row in content["rows"]]


def test_photographs_stay_out_where_they_are_not_wanted(project: Path) -> None:
    """Without photographs there are heat maps alone: no picture of an image, no neighbors."""
    compose(project, "explain.photographs=false")
    folder = explain()
    content = read()
    assert content["neighbors"] is None
    assert content["fooling"] is None
    assert not (folder / "thumbnails").exists()
    with Image.open(folder / "rows/0.webp") as strip:
        assert strip.size == (SIDE * len(content["columns"]), SIDE)


@pytest.mark.long
def test_boxes_are_searched_anew_when_the_atlas_changes(project: Path) -> None:
    """The search subtracts the layer's mean: with other samples it finds what a run without kept tasks finds."""
    box = "+explain.regions={0/00.png: [0.1, 0.1, 0.6, 0.6]}"
    compose(project, box)
    explain()
    (before,) = read()["regions"]["boxes"]
    assert before["matches"][0]["similarity"] >= before["matches"][-1]["similarity"]
    compose(project, box, "sample.positions_per_image=2")
    run_before()
    explain()
    (after,) = read()["regions"]["boxes"]
    assert after != before
    shutil.rmtree(OUTPUTS / WORK)
    explain()
    assert read()["regions"]["boxes"] == [after]


def test_small_changes_fool_the_network(project: Path) -> None:
    """Each image has a change to another class, within its bound, with pictures and probabilities along it."""
    compose(project, "explain.images=2", "explain.fooling=true", "explain.methods=[saliency]", "explain.mosaics=0")
    folder = explain()
    found = read()["fooling"]
    assert [one["row"] for one in found] == [0, 1]
    for one in found:
        assert one["linf"] is None or (one["linf"] <= 65 and one["png"])
        assert len(one["path"]["own"]) == 16
        with Image.open(folder / f"fooling/{one['row']}.webp") as strip:
            assert strip.size == (4 * SIDE, SIDE)


VIT = {"_target_": "tests.explain.small_networks.SmallViT"}
SWIN = {
    "_target_": "torchvision.models.SwinTransformer",
    "patch_size": [2, 2],
    "embed_dim": 8,
    "depths": [2, 2],
    "num_heads": [2, 2],
    "window_size": [4, 4],
    "num_classes": 3,
}


@pytest.mark.parametrize(
    ("architecture", "layer"),
    [(VIT, "encoder.layers.encoder_layer_0"), (SWIN, "features.1")],
    ids=["ViT", "Swin"],
)
def test_networks_without_relus_are_explained(architecture: Mapping[str, Any], layer: str, project: Path) -> None:
    """Tokens and maps with the channels last have heat maps, without what needs ReLUs; a list of that is refused."""
    overrides = (f"layers=[{layer}]", "model.preprocessing.crop=32", "explain.images=2")
    compose(project, *overrides, architecture=architecture)
    run_before()
    explain()
    content = read()
    methods = {one["method"] for one in content["columns"]}
    assert "guided_backpropagation" not in methods
    assert {"grad_cam", "activation_gradient", "occlusion", "cam"} <= methods
    assert all(one["constant"] == 0 for one in content["columns"] if one["method"] == "activation_gradient")
    compose(project, *overrides, "explain.methods=[deconvolution]", architecture=architecture)
    with pytest.raises(ModelError, match="expected a network with ReLUs"):
        explain()


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (["explain.images=[nothing.png]"], "explain.images: expected keys of usable images, found nothing.png"),
        (["explain.classes=[unicorn]"], "explain.classes: expected a class of the network, found 'unicorn'"),
        (["explain.classes=[99]"], "explain.classes: expected classes from 0 to 9, found 99"),
        (["explain.fooling_class=99"], "explain.fooling_class: expected classes from 0 to 9, found 99"),
        (["+explain.units={mixed9z: [1]}"], "explain.units: expected a layer with a map or token grid"),
        (["+explain.units={mixed3b: [9999]}"], "explain.units.mixed3b: expected channels from 0 to"),
        (["explain.layers=[mixed9z]"], "explain.layers: expected a layer with a map or token grid"),
        (["explain.methods=[xray]"], "explain.methods"),
        (["explain.images=-1"], "explain.images"),
        (["explain.occlusion_stride=0.9"], "explain.occlusion_stride of at most explain.occlusion_size"),
    ],
)
def test_wrong_settings_have_one_line(overrides: Sequence[str], line: str, project: Path) -> None:
    """What is not there is named before the run, or by the stage where only the images tell."""

    def everything() -> None:
        check_run(compose(project, *overrides), OUTPUTS)
        explain()

    with pytest.raises(ConfigError) as error:
        everything()
    assert line in str(error.value)
    assert "\n" not in str(error.value)
