"""Every shipped configuration runs from images to site, at a size of seconds."""

import json
from itertools import product, zip_longest
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

from pipeline.commands import OUTPUTS, run_stage
from pipeline.compose import compose_config, write_params
from pipeline.config.params import load_params, parse_params
from pipeline.core.artifacts import GRID, ICONS
from pipeline.core.zarr_store import array, level, open_artifact
from pipeline.plan.check import check_run
from pipeline.stages import STAGES

ROOT = Path(__file__).parents[1]
TINY = [
    "prepare.limit=48",
    "sample.positions_per_image=4",
    "grid.levels=[2,4]",
    "grid.min_count=2",
    "render.steps=2",
    "render.warm_steps=2",
    "render.batch_size=4",
    "reduce.epochs=10",
    "reduce.iterations=10",
    "reduce.neighbors=6",
    "reduce.perplexity=5",
    "predict.samples=24",
    "predict.cells=6",
    "predict.images=2",
    "patch.candidates=4",
    "patch.keep=2",
    "patch.pool=2",
    "patch.search_images=2",
    "patch.min_images=2",
]
SMALL_ICONS = ["render.size=16", "render.size_by_layer.mixed3b=16"]
TRAINED = ["model.training.epochs=1", "model.training.robust=0", "layers=[mixed3b,mixed4a]", *SMALL_ICONS]
IMAGES = {
    "toytown": ["images.count=48", *TRAINED],
    "digits": TRAINED,
    "image_folder": ["images.root=photographs", *TRAINED],
    "torchvision": [
        "images.dataset=FakeData",
        "images.arguments.split=null",
        "images.arguments.size=48",
        "+images.arguments.image_size=[3,40,40]",
        *TRAINED,
    ],
}
EXPERIMENTS = {
    "tiny": [],
    "tiny_units": [],
    "demo": [
        "images.count=48",
        "model.training.epochs=1",
        "layers=[mixed3b]",
        *SMALL_ICONS,
        *TINY,
    ],
    "digits": ["model.training.epochs=1", *SMALL_ICONS, *TINY],
    "imagenet": [
        "images.root=photographs",
        "model.weights=random",
        "model.preprocessing={resize: 48, crop: 48}",
        "+model.architecture.num_classes=5",
        "layers=[inception4a]",
        "sample.positions_per_image=4",
        *TINY,
        "render.size_by_layer.inception4a=24",
    ],
    "efficientnet_lite0": [  # with its real weights, another network as judge, and both styles of icons
        "images.root=photographs",
        "model.preprocessing.resize=64",
        "model.preprocessing.crop=64",
        "layers=[_blocks.3]",
        "+model@judge=small_inception",
        "judge.weights=random",
        "sample.positions_per_image=4",
        *TINY,
        "+render.size_by_layer={_blocks.3: 32}",
        "render.styles=[accentuated,drawn]",
    ],
    "imagenet_sample": ["render.size_by_layer={features.7: 24, features.12: 48}", *TINY],
}


def options(group: str) -> list[str]:
    """The shipped options of a config group."""
    return sorted(path.stem for path in (ROOT / "conf" / group).glob("*.yaml"))


def combinations() -> list[list[str]]:
    """Runs that together use every option of every group at least once."""
    runs = zip_longest(options("images"), options("reduce"), options("render"))
    return [
        [f"images={images or 'toytown'}", f"reduce={reduce or 'pca'}", f"render={render or 'default'}"]
        for images, reduce, render in runs
    ]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the project's configuration and some photographs, as the current one."""
    for name in ("conf", "dvc.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    for number, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (48, 40, 40, 3), np.uint8)):
        path = tmp_path / "photographs" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(root: Path, overrides: list[str]) -> None:
    """What `atlas run` does, with the stages called one after the other in this process."""
    config = compose_config(root, overrides)
    params = parse_params(OmegaConf.to_container(config))
    check_run(params, OUTPUTS)
    write_params(root, config)
    for stage in STAGES.values():
        for chosen in product(*(getattr(params, many) for many in stage.over.values())):
            run_stage(stage.name, [f"{key}={value}" for key, value in zip(stage.over, chosen, strict=True)])


def assert_whole(root: Path) -> None:
    """The run has a page, icons for the drawn cells of every level, and metrics of every stage."""
    params = load_params(root / "params.yaml")
    assert (root / OUTPUTS / "site" / "index.html").read_text().startswith("<!doctype html>")
    for layer, atlas in product(params.layers, params.atlases):
        grid, icons = (open_artifact(kind, kind.path(root / OUTPUTS, layer, atlas)) for kind in (GRID, ICONS))
        for size in params.grid.for_atlas(atlas):
            drawn = np.flatnonzero(array(level(grid, size), "drawn")[:])
            np.testing.assert_array_equal(array(level(icons, size), "cell")[:], drawn)
            assert len(drawn)
    for stage in STAGES.values():
        for chosen in product(*(getattr(params, many) for many in stage.over.values())):
            name = "/".join([stage.name, *chosen])
            assert json.loads((root / OUTPUTS / "metrics" / f"{name}.json").read_text())
    assert not list((root / OUTPUTS).rglob("*.partial"))


@pytest.mark.long
@pytest.mark.parametrize("chosen", combinations(), ids=" ".join)
def test_every_option_runs_from_images_to_site(chosen: list[str], checkout: Path) -> None:
    """With every shipped image set, layout and icon preset the pipeline ends with a whole site."""
    images = chosen[0].partition("=")[2]
    own = ["render.warm_steps=null"] if "render=lucid_notebook" in chosen else []  # all its icons start from noise
    run(checkout, [*chosen, *TINY, *own, *IMAGES[images]])
    assert_whole(checkout)


LONG = {"tiny_units"}  # all of its sheets: as long as the other experiments together


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.long] if name in LONG else [])
        for name in options("experiment")
        if name != "imagenet_sample"
    ],
)
def test_every_experiment_runs(name: str, checkout: Path) -> None:
    """Every shipped experiment ends with a whole site."""
    run(checkout, [f"+experiment={name}", *EXPERIMENTS[name]])
    assert_whole(checkout)


@pytest.mark.long
@pytest.mark.real
def test_the_real_experiment_runs(checkout: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real network and photographs go through the pipeline, and the network classifies most of them correctly."""
    monkeypatch.setenv("ATLAS_REAL_DATA", str(real_data))
    run(checkout, ["+experiment=imagenet_sample", *EXPERIMENTS["imagenet_sample"]])
    assert_whole(checkout)
    assert json.loads((OUTPUTS / "metrics" / "prepare.json").read_text())["top1"] > 0.4


@pytest.mark.long
def test_classes_comparisons_and_a_second_image_set_run(checkout: Path) -> None:
    """Class atlases, a comparison with its patch test and a second image set end with a whole site.

    The second image set is the first one again: every sample falls into its own cell.
    """
    classes = ["classes=[fireboat,3]", "comparisons=[[flower,fireboat]]", "selection.min_samples=12"]
    second = ["+images@place.images=toytown", "place.images.count=48", "grid.class_levels=[2]"]
    run(checkout, ["images.count=48", *classes, *second, *TRAINED, *TINY])
    assert_whole(checkout)
    for layer in ("mixed3b", "mixed4a"):
        text = (OUTPUTS / "site" / "place" / layer / "place.js").read_text()
        placed = json.loads(text.partition("]=")[2].removesuffix(";\n"))
        assert (placed["images"], placed["samples"]) == (48, 48 * 4)
        shared = json.loads((OUTPUTS / "metrics" / "place" / f"{layer}.json").read_text())["shared"]
        assert shared == {"2": pytest.approx(1), "4": pytest.approx(1)}
        for atlas in ("class-1", "class-3", "compare-3-1"):
            assert (OUTPUTS / "site" / "tiles" / layer / atlas / "tiles.json").is_file()


def test_published_networks_run_without_training(checkout: Path) -> None:
    """A torchvision network with its own preprocessing runs; here with random weights, since nothing is downloaded."""
    network = ["model=torchvision", "model.name=resnet18", "model.weights=random", "layers=[layer2]"]
    sizes = ["model.preprocessing={resize: 40, crop: 32}", "render.size=16"]
    run(checkout, ["images=image_folder", "images.root=photographs", *network, *sizes, *TINY])
    assert_whole(checkout)


def test_a_transformer_runs(checkout: Path) -> None:
    """A vision transformer's patch tokens are sampled, laid out and drawn."""
    sizes = {"image_size": 32, "patch_size": 8, "num_layers": 2, "num_heads": 2, "hidden_dim": 16, "mlp_dim": 32}
    architecture = [f"+model.architecture.{key}={value}" for key, value in (sizes | {"num_classes": 2}).items()]
    network = ["model=torchvision", "model.name=VisionTransformer", "model.weights=random", *architecture]
    where = ["layers=[encoder.layers.encoder_layer_0]", "model.preprocessing={resize: 32, crop: 32}"]
    run(checkout, ["images=image_folder", "images.root=photographs", *network, *where, *TINY, "render.size=16"])
    assert_whole(checkout)


def test_every_group_is_covered() -> None:
    """No shipped option is left out of the runs above."""
    assert set(IMAGES) == set(options("images"))
    assert set(EXPERIMENTS) == set(options("experiment"))
    assert options("model") == ["efficientnet_lite0", "small_inception", "torchvision"]
    single = [
        group
        for group in (path.name for path in (ROOT / "conf").iterdir())
        if (ROOT / "conf" / group).is_dir() and len(options(group)) == 1
    ]
    assert all(options(group) == ["default"] for group in single)
