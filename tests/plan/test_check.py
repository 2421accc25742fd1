"""The check before a run tries out a network unless an earlier run has used that very network in the same way."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest
from omegaconf import OmegaConf

from pipeline.compose import compose_config
from pipeline.config.params import Params, parse_params
from pipeline.core import artifacts
from pipeline.core.artifacts import ACTIVATIONS, ICONS, MODEL, Artifact
from pipeline.core.errors import AtlasError
from pipeline.core.files import discard
from pipeline.core.zarr_store import create
from pipeline.fitting_levels import FILL
from pipeline.model import description
from pipeline.model.configured_network import load_configured_network
from pipeline.model.description import read_description
from pipeline.model.network import save_network
from pipeline.plan import trial
from pipeline.plan.check import check_run
from pipeline.plan.inputs import Sizes
from pipeline.stages import STAGES, Task

ROOT = Path(__file__).parents[2]
LAYER = "mixed3b"
TINY = ("+experiment=tiny", "model.weights=random", "model.classes=[a,b]", "images.count=60", f"layers=[{LAYER}]")


def configured(*overrides: str) -> Params:
    """The tiny experiment with other settings."""
    return parse_params(OmegaConf.to_container(compose_config(ROOT, [*TINY, *overrides])))


def plant(folder: Path, stage: str, artifact: Artifact, made_from: str) -> None:
    """What a stage stores of the atlas of all samples, without any array, from the network ``made_from``."""
    settings = Task(STAGES[stage], configured(), folder).settings()
    path = artifact.path(folder, LAYER, "all")
    discard(path)
    with create(artifact, path, settings, {MODEL.name: made_from}):
        pass


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Outputs with the network of the tiny experiment, and what `sample` and `render` store of it."""
    folder, params = tmp_path_factory.mktemp("outputs"), configured()
    network = load_configured_network(params.model, "model")
    settings = Task(STAGES["prepare"], params, folder).settings()
    save_network(MODEL.path(folder), network, params.model.architecture, settings)
    for stage, artifact in (("sample", ACTIVATIONS), ("render", ICONS)):
        plant(folder, stage, artifact, read_description(MODEL.path(folder))["identity"])
    return folder


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Gets an entry each time that a network would be tried out, in place of the trial."""
    calls: list[str] = []

    def note(params: Params, names: Sequence[str] | None, count: int) -> Sizes:
        calls.append("tried")
        return Sizes(params, count, len(names or ()), dict.fromkeys(params.layers, 8), FILL, 64)

    monkeypatch.setattr(trial, "check_network", note)
    return calls


@pytest.mark.parametrize("override", ["seed=0", "grid.levels=[3,6]", "classes=[b]", "reduce=pca", "site.title=other"])
def test_a_network_that_has_run_is_not_tried_again(override: str, outputs: Path, tried: list[str]) -> None:
    """Neither for the same run nor for one of other settings of stages that do not run it."""
    check_run(configured(override), outputs)
    assert tried == []


@pytest.mark.parametrize(
    "override",
    [
        *("seed=5", "images.count=61", "prepare.limit=50", "model.name=other", "model.classes=[a,b,c]"),
        *("model.architecture.dropout=0.3", "model.preprocessing.crop=96", "model.weights=train", "model.layout=map"),
        *("layers=[mixed4a]", "layers=[mixed3b,mixed4a]", "render.steps=7", "render.styles=[drawn,accentuated]"),
        *("sample.attribution=false", "sample.max_pool=avg", "sample.dtype=bfloat16", "sample.storage=float32"),
    ],
)
def test_a_network_of_other_settings_is_tried(override: str, outputs: Path, tried: list[str]) -> None:
    """Whatever setting of the stages that build and run it it is."""
    overrides = [override] if override != "model.weights=train" else [override, "model.classes=null"]
    check_run(configured(*overrides), outputs)
    assert tried == ["tried"]


@pytest.mark.parametrize(("stage", "artifact"), [("sample", ACTIVATIONS), ("render", ICONS)])
def test_a_stage_that_has_not_run_proves_nothing(
    stage: str, artifact: Artifact, outputs: Path, tried: list[str], tmp_path: Path
) -> None:
    """The network is tried where a layer's artifact is missing, of another network, or of another version."""
    folder = tmp_path / "outputs"
    copytree(outputs, folder)
    path, network = artifact.path(folder, LAYER, "all"), read_description(MODEL.path(folder))["identity"]
    discard(path)
    check_run(configured(), folder)
    for found, made_from in ((artifact, "another"), (replace(artifact, version=artifact.version + 1), network)):
        plant(folder, stage, found, made_from)
        check_run(configured(), folder)
    assert len(tried) == 3
    plant(folder, stage, artifact, network)
    check_run(configured(), folder)
    assert len(tried) == 3
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(artifacts, "__version__", "another")
        check_run(configured(), folder)
    assert len(tried) == 4


def test_a_damaged_description_and_one_of_another_version_do_not_count(
    outputs: Path, tried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network is tried as if there were none."""
    with monkeypatch.context() as patch:
        patch.setattr(description, "MODEL", replace(MODEL, version=MODEL.version + 1))
        check_run(configured(), outputs)
    assert len(tried) == 1
    with monkeypatch.context() as patch:
        patch.setattr(description, "identity", lambda _values: "another")
        check_run(configured(), outputs)
    assert len(tried) == 2


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("layers=[mixed9z]", "the network has no layer 'mixed9z'; near names: mixed"),
        ("layers=[linear]", "expected a layer with a map or token grid, found 'linear'"),
        ("atlases=[all,class-9]", "expected classes of the network's 2, found number 9"),
        ("site.initial_layer=mixed4b", "site.initial_layer: expected one of the run's layers"),
    ],
)
def test_what_cannot_work_is_refused_as_without_a_saved_network(override: str, words: str, outputs: Path) -> None:
    """With the same line."""
    lines = []
    for place in (outputs, outputs / "nothing here"):
        with pytest.raises(AtlasError) as caught:
            check_run(configured(override), place)
        lines.append(str(caught.value))
    assert words in lines[0]
    assert lines[0] == lines[1]
