"""The table of methods: every command runs, tiny, and its page is there."""

import re
import shlex
from itertools import product
from pathlib import Path

import pytest

from pipeline.commands import OUTPUTS, run_stage
from pipeline.compose import compose_config, write_params
from pipeline.config.params import Params, load_params
from pipeline.core.site_data import read_data_script
from pipeline.plan.check import check_run
from pipeline.site.pages import PAGES
from pipeline.stages import STAGES
from tests.tiny_run import checkout

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/methods.md"
TINY = (
    *("images=toytown", "images.count=48", "model.training.epochs=1", "sample.positions_per_image=4", "reduce=pca"),
    *("grid.levels=[2,4]", "grid.class_levels=[2]", "grid.min_count=2", "selection.min_samples=3", "selection.top=24"),
    *("render.steps=2", "render.warm_steps=1", "render.size=16", "render.size_by_layer.mixed3b=16"),
    *("layers=[mixed4a]", "predict.samples=8", "predict.cells=4", "predict.images=2", "predict.resamples=10"),
    *("patch.candidates=2", "patch.keep=1", "patch.pool=1", "patch.sizes=[0.35]", "patch.curve=[0.3]"),
    *(
        "selection.filter=magnitude",
        "patch.search_images=2",
        "patch.min_images=2",
        "patch.resamples=10",
        "patch.examples=1",
    ),
    *("units.size=16", "units.steps=2", "units.compared=8", "units.facets=0", "units.diverse=0"),
    *("units.training_steps=1",),
    *("explain.integration_steps=2", "explain.occlusion_size=0.5", "explain.occlusion_stride=0.5"),
    *("explain.curve_steps=2", "explain.mosaics=1", "explain.randomized_images=2", "explain.randomized_steps=2"),
    *("explain.compared=24", "explain.fooling=false", "explain.resamples=20"),
    *("synthesize.images=1", "synthesize.deep_dream.steps=1", "synthesize.deep_dream.octaves=1"),
    *("synthesize.deep_dream.size=48", "synthesize.accentuation.steps=1", "synthesize.inversion.steps=1"),
    *("synthesize.texture.steps=1", "synthesize.texture.size=32", "synthesize.texture.patch=3"),
    *("synthesize.style_transfer.steps=1", "synthesize.style_transfer.training_steps=1"),
    *("synthesize.painting.steps=1", "synthesize.painting.size=48", "synthesize.region_query.shown=4"),
)
LONGER = ("model.training.epochs=4",)  # for checkpoints every three epochs
RESULTS = {
    "units.html": "units/*/units.js",
    "explain.html": "explain/*/explain.js",
    "synthesize.html": "synthesize/*/synthesize.js",
    "patch.html": "patch/*/*/result.js",
    "evidence.html": "predict/*/result.js",
}
# what words begin with that ask for a stage that does not run otherwise, or for another layer
OPTIONAL = ("units.channels=", "explain.", "synthesize.", "layers=")


def rows() -> list[tuple[str, tuple[str, ...], str]]:
    """Method, overrides and page of every row."""
    found = re.findall(r"^\| ([^|]+) \|[^|]*\| `atlas run ?([^`]*)` \| `([^`]+)` \|$", PAGE.read_text(), re.MULTILINE)
    return [(method, tuple(shlex.split(words)), page) for method, words, page in found]


def test_the_table_is_read() -> None:
    """Every line of the table but its head is a row, and names a page of the site."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    assert len(rows()) == len(lines) - 2
    assert {page for _, _, page in rows()} <= set(PAGES)
    assert len(rows()) > 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which all commands without optional stages have run as one: their words together."""
    found = checkout(tmp_path_factory.mktemp("methods"))
    words = dict.fromkeys(word for _, words, _ in rows() for word in words if not any(map(is_optional, words)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(found)
        for name in STAGES:
            run(compose(found, tuple(words)), name)
    return found


def is_optional(word: str) -> bool:
    """Whether a word of a command asks for units, explanations, syntheses or another layer."""
    return word.removeprefix("+").startswith(OPTIONAL)


def compose(folder: Path, words: tuple[str, ...]) -> Params:
    """The settings of a command, made tiny, as those of the checkout."""
    write_params(folder, compose_config(folder, [*TINY, *words]))
    return load_params(folder / "params.yaml")


def run(params: Params, name: str) -> None:
    """A stage for every layer and atlas."""
    over = STAGES[name].over
    for chosen in product(*(getattr(params, many) for many in over.values())):
        run_stage(name, [f"{key}={value}" for key, value in zip(over, chosen, strict=True)])


@pytest.mark.long
@pytest.mark.parametrize(("method", "words", "page"), rows(), ids=[method for method, _, _ in rows()])
def test_every_method_runs(
    method: str, words: tuple[str, ...], page: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command of a row passes the check; once its stages have run, its page and its result are there."""
    del method
    monkeypatch.chdir(folder)
    of_prepare = any(word.startswith("prepare.") for word in words)
    params = compose(folder, (*LONGER, *words) if of_prepare else words)
    check_run(params, OUTPUTS)
    if of_prepare:
        run(params, "prepare")
    if any(word.startswith("layers=") for word in words):
        for name in STAGES:
            run(params, name)
    run(params, "units")
    run(params, "explain")
    run(params, "synthesize")
    assert (OUTPUTS / "site" / page).is_file()
    assert list((OUTPUTS / "site").glob(RESULTS.get(page, "data/*/all/*/cells.js")))
    assert all(
        (OUTPUTS / f"site/tiles/{layer}/{atlas}").is_dir() for layer in params.layers for atlas in params.atlases
    )
    assert bool(params.placed) == any("place" in word for word in words)
    if of_prepare:
        (sheet,) = read_data_script(OUTPUTS / "site/units/mixed4a/units.js")["sheets"]
        assert len(sheet["columns"]) > 1
        run(compose(folder, ()), "prepare")  # the network that the other rows share
