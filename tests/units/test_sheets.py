"""Sheets over training, layers, directions, random axes, changes of a photograph, and gradients."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn.utils import parametrizations, spectral_norm

from pipeline.commands import OUTPUTS, run_stage
from pipeline.core.artifacts import CHECKPOINTS, MODEL, UNITS
from pipeline.core.errors import AtlasError, ConfigError
from pipeline.core.files import folder_digest
from pipeline.core.site_data import read_data_script
from pipeline.featurevis.optimize import OptimizerConfig
from pipeline.featurevis.parameterization import PixelValues
from pipeline.featurevis.renderer import BatchRenderer, RendererSpec, RenderRequest
from pipeline.featurevis.transforms import RandomAffine
from pipeline.model.checkpoints import read_checkpoints
from pipeline.model.network import load_network
from pipeline.prepare.stage import distinct_ends
from pipeline.stages import STAGES, Task
from pipeline.units import direction_sheets
from pipeline.units.direction_sheets import difference_image
from pipeline.units.gradient_sheet import averaged_pooling, averaged_stride, fine_share
from pipeline.units.sheets import WIDEST, Cell, Row, Sheet, write_sheet
from pipeline.units.vectors import VectorMeasure, VectorPurpose
from tests.tiny_run import LAYER, checkout, photograph
from tests.units.planted_detector import SIDE, detector, striped
from tests.units.test_stage import CHOSEN, compose

IMAGES = 12
NEW = "units.sheets=[training,layers,directions,rotation,change,gradients]"
CLASSES = f"+units.channels={{{LAYER}: [3, 40, 7], logits: [0, 1]}}"
DIRECTIONS = f"+units.directions={{{LAYER}: {{both: {{3: 1.0, 40: 1.0}}, difference: {{3: 1.0, 40: -1.0}}}}}}"
TRAINED = ("model.weights=train", "model.training.epochs=3", "model.training.robust=0", "prepare.checkpoint_every=1")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose network was trained for three epochs, and that has every sheet."""
    folder = checkout(tmp_path_factory.mktemp("made"))
    for number in range(IMAGES):
        photograph(folder / "photographs" / f"{number % 2}" / f"{number:02d}.png", number)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        compose(folder, CLASSES, NEW, DIRECTIONS, *TRAINED)
        run_stage("prepare", [])
        for layer in (LAYER, "logits"):
            run_stage("units", [f"layer={layer}"])
    return folder


@pytest.fixture
def project(in_tmp: Path) -> Path:
    """A checkout with some photographs."""
    for number in range(IMAGES):
        photograph(in_tmp / "photographs" / f"{number % 2}" / f"{number:02d}.png", number)
    return checkout(in_tmp)


def sheets(made: Path, layer: str) -> dict[str, Any]:
    """The sheets of a layer, by name."""
    content = read_data_script(UNITS.path(made / OUTPUTS, layer=layer) / "units.js")
    return {sheet["name"]: sheet for sheet in content["sheets"]}


def pictures(made: Path, sheet: str, row: int, layer: str = LAYER) -> list[np.ndarray[Any, Any]]:
    """The pictures of a row."""
    with Image.open(UNITS.path(made / OUTPUTS, layer=layer) / f"sheets/{sheet}/{row}.webp") as strip:
        found = np.asarray(strip).astype(float)
    return np.split(found, found.shape[1] // found.shape[0], axis=1)


def test_each_layer_has_the_sheets_that_it_can_have(made: Path) -> None:
    """Classes go across layers; random axes and the whole layer need a map; every cell has its picture."""
    assert list(sheets(made, LAYER)) == ["training", "directions", "rotation", "change", "gradients"]
    assert list(sheets(made, "logits")) == ["training", "layers", "change", "gradients"]
    for layer in (LAYER, "logits"):
        for name, sheet in sheets(made, layer).items():
            for number, row in enumerate(sheet["rows"]):
                assert len(row["cells"]) == len(sheet["columns"]) == len(pictures(made, name, number, layer))


def test_a_second_run_renders_nothing(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every picture comes from the cache, and the bytes are the same."""
    monkeypatch.chdir(made)
    folder = UNITS.path(OUTPUTS, layer=LAYER)
    before = folder_digest(folder)
    run_stage("units", [f"layer={LAYER}"])
    assert folder_digest(folder) == before
    assert "a batch of" not in capsys.readouterr().err


def test_checkpoints_are_those_of_the_training(made: Path) -> None:
    """They come after each epoch but the last, which is the run's network; their weights go from one to the other."""
    checkpoints = read_checkpoints(CHECKPOINTS.path(made / OUTPUTS))
    assert [one.name for one in checkpoints] == ["1 epoch", "2 epochs"]
    weights = [
        torch.cat([value.flatten() for value in load_network(folder).module.parameters()])
        for folder in (*(one.folder for one in checkpoints), MODEL.path(made / OUTPUTS))
    ]
    near, far = (weights[2] - weights[1]).norm(), (weights[2] - weights[0]).norm()
    assert 0 < near < far
    sheet = sheets(made, LAYER)["training"]
    assert [column["name"] for column in sheet["columns"]] == ["1 epoch", "2 epochs", "now"]
    assert all(row["cells"][-1]["shared"] == 1 for row in sheet["rows"])


def test_the_same_weights_give_the_same_pictures(project: Path) -> None:
    """A file of the run's own weights is the column of the run's network; one of other weights is another."""
    compose(project, CHOSEN)
    run_stage("prepare", [])
    own = MODEL.path(OUTPUTS) / "weights.safetensors"
    own = own if own.is_file() else next(MODEL.path(OUTPUTS).glob("*.safetensors"))
    (project / "own.safetensors").write_bytes(own.read_bytes())
    compose(project, CHOSEN, "seed=5")
    run_stage("prepare", [])
    (project / "other.safetensors").write_bytes(own.read_bytes())
    files = "prepare.checkpoints=[other.safetensors,own.safetensors]"
    compose(project, CHOSEN, files, "units.sheets=[training]")
    run_stage("prepare", [])
    run_stage("units", [f"layer={LAYER}"])
    (sheet,) = sheets(project, LAYER).values()
    assert [column["name"] for column in sheet["columns"]] == ["other.safetensors", "own.safetensors", "now"]
    for number, row in enumerate(sheet["rows"]):
        other, same, now = pictures(project, "training", number)
        assert np.abs(same - now).mean() < 4  # pixels next to each other share what WebP loses
        assert np.abs(other - now).mean() > 10
        assert row["cells"][1]["shared"] == 1


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (["units.sheets=[training]"], "units.sheets: expected checkpoints for the sheet training, found none"),
        (["units.sheets=[layers]"], "units.sheets: expected classes for the sheet layers, found no logits"),
        (["prepare.checkpoint_every=2"], "prepare.checkpoint_every: expected a network that is trained here"),
        ([*TRAINED, "prepare.checkpoint_every=3"], "prepare.checkpoint_every: expected fewer than the 3 epochs"),
    ],
)
def test_a_sheet_without_what_it_compares_is_refused(project: Path, overrides: list[str], line: str) -> None:
    """Before the run, in one line that says what to set."""
    with pytest.raises(ConfigError, match=line):
        compose(project, CHOSEN, *overrides)


def test_a_missing_checkpoint_is_named(project: Path) -> None:
    """The line names the setting and the file, and nothing is written."""
    compose(project, CHOSEN, "prepare.checkpoints=[nothing.pt]")
    with pytest.raises(AtlasError, match=r"prepare\.checkpoints: .*nothing\.pt"):
        run_stage("prepare", [])
    assert not CHECKPOINTS.path(OUTPUTS).exists()


def test_a_photograph_that_is_active_enough_stays(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an aim of half the highest activation, a photograph above it stays, and one below it is changed."""
    monkeypatch.setattr(direction_sheets, "EXCEEDED", 0.999)  # so common that the aim is its lower bound, a half
    compose(project, CHOSEN, "units.sheets=[change]")
    run_stage("prepare", [])
    run_stage("units", [f"layer={LAYER}"])
    before, *after = zip(*(row["cells"] for row in sheets(project, LAYER)["change"]["rows"]), strict=True)
    enough = [cell["activation"][0] >= 0.5 for cell in before]
    assert any(enough)
    for column in after[::2]:  # every second one shows the difference
        for unchanged, cell, stays in zip(before, column, enough, strict=True):
            assert (cell["change"] == 0) == stays
            assert (cell["activation"] == unchanged["activation"]) == stays


def test_a_change_is_small_and_ends_at_its_aim() -> None:
    """A picture of one pattern is changed until the other pattern's unit is as active as wanted, and no further."""
    network, (first,) = detector(), [torch.eye(2)[0].numpy()]
    before = (striped(1, 0).movedim(0, -1) * 255).round().to(torch.uint8).numpy()
    config = OptimizerConfig(steps=64, learning_rate=0.05, method="steepest")
    aim = 1.0
    found = {}
    for limit in (aim, None):
        spec = RendererSpec(
            model=Path(),
            purpose=VectorPurpose("patterns", np.zeros(2, np.float32), "center", limit=limit),
            parameterization=PixelValues(SIDE, SIDE),
            transform=RandomAffine(0.0, (1.0, 1.0), 0.0),
            regularizers={},
            cold=config,
            warm=config,
            init_std=1.0,
            batch_size=1,
            seed=0,
            device="cpu",
            dtype="float32",
        )
        (after,) = BatchRenderer(network, spec).render([RenderRequest("a", first, parent=before)])
        found[limit] = after.scores["activation"], np.abs(after.image.astype(float) - before).mean()
    measure = VectorMeasure(network, "patterns", (SIDE, SIDE))
    start = measure(torch.from_numpy(before[None]), torch.from_numpy(first[None])).scores["activation"][0]
    assert start < 0.6 * aim
    assert start + 0.3 < found[aim][0] < found[None][0]
    assert found[aim][1] < 0.7 * found[None][1]


def test_a_difference_is_enlarged_on_gray() -> None:
    """Where nothing changed it is gray, and the largest change is black or white, however small it is."""
    before = np.random.default_rng(0).integers(10, 245, (8, 8, 3)).astype(np.uint8)
    after = before.copy()
    after[0, 0, 0] += 4
    after[1, 1, 1] -= 2
    found = difference_image(after, before)
    assert (found[0, 0, 0], found[1, 1, 1]) == (255, 64)
    found[[0, 1], [0, 1], [0, 1]] = 128
    assert (found == 128).all()
    assert (difference_image(before, before) == 128).all()


def test_photographs_are_shown_only_where_examples_are(project: Path) -> None:
    """Without examples there is neither a changed photograph nor a gradient at one."""
    params = compose(project, CHOSEN, "units.sheets=[change,gradients,rotation]", "units.examples=0")
    assert params.units.chosen_sheets(LAYER) == ["rotation"]


def test_fine_shares_are_those_of_known_spectra() -> None:
    """All of a checkerboard is fine, nothing of a slow wave, and of white noise the share of fine frequencies."""
    rows, columns = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    board = ((rows + columns) % 2 * 2.0 - 1).expand(2, 3, 32, 32)
    wave = torch.sin(2 * torch.pi * rows / 16).expand(2, 3, 32, 32)
    noise = torch.randn(64, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert fine_share(board) == pytest.approx(1)
    assert fine_share(wave) == pytest.approx(0, abs=1e-6)
    assert fine_share(noise) == pytest.approx(1 - torch.pi / 16, abs=0.02)


@pytest.mark.parametrize("size", [15, 16, 17])
@pytest.mark.parametrize(
    "module",
    [
        nn.Conv2d(3, 4, 3, stride=2, padding=1),
        nn.Conv2d(3, 4, 1, stride=2),
        nn.Conv2d(3, 6, 7, stride=2, padding=3, groups=3),
        nn.Conv2d(3, 4, 5, stride=3, dilation=2, bias=False),
        nn.MaxPool2d(3, 2),
        nn.MaxPool2d(2),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.MaxPool2d(3, 2, padding=1),
    ],
    ids=str,
)
def test_averages_keep_the_size_and_skip_nothing(module: nn.Module, size: int) -> None:
    """The output has the size of before, is the same for a constant image, and every pixel within reach has a gradient.

    With the module itself some pixels have none.
    """
    changed = averaged_pooling(module) or averaged_stride(module)
    assert changed is not None
    constant = torch.ones(1, 3, 48, 48)
    middle = (..., slice(4, -4), slice(4, -4))
    torch.testing.assert_close(changed(constant)[middle], module(constant)[middle])
    images = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    assert changed(images).shape == module(images).shape
    touched = []
    for one in (module, changed):
        (gradient,) = torch.autograd.grad(one(images).sum(), images)
        touched.append((gradient.abs().sum(1) > 0).float().mean().item())
    assert touched[1] >= touched[0]
    if isinstance(module, nn.MaxPool2d) or max(module.kernel_size) < 2:  # type: ignore[arg-type]  # a pair
        assert touched[1] > 1.2 * touched[0]


class PadsItself(nn.Conv2d):
    """Computes something else than its settings say."""


@pytest.mark.parametrize(
    "module",
    [
        nn.Conv2d(3, 4, 3),
        nn.Conv2d(3, 8, 4, stride=4),
        nn.AvgPool2d(2),
        nn.ReLU(),
        PadsItself(3, 4, 3, stride=2),
        parametrizations.weight_norm(nn.Conv2d(3, 4, 3, stride=2)),
        spectral_norm(nn.Conv2d(3, 4, 3, stride=2)),
        nn.MaxPool2d(2, return_indices=True),
        nn.MaxPool2d(2, dilation=2),
    ],
    ids=repr,
)
def test_what_skips_nothing_or_is_not_known_stays(module: nn.Module) -> None:
    """Dense convolutions, patch embeddings and averages are no modules to change, nor are those of other classes."""
    assert averaged_pooling(module) is None
    assert averaged_stride(module) is None


def test_images_without_a_gradient_do_not_count() -> None:
    """A unit that is inactive in half of the images has the share that the others have, and none if it is in all."""
    noise = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    half = torch.cat([noise, torch.zeros_like(noise)])
    assert fine_share(half) == pytest.approx(fine_share(noise))
    assert fine_share(1e-9 * noise) == pytest.approx(fine_share(noise))
    assert fine_share(torch.zeros_like(noise)) is None


def test_a_wide_strip_is_reduced(tmp_path: Path) -> None:
    """A row of more pixels than WebP can have is written smaller, with every picture at its place."""
    cells = [Cell(np.full((64, 64, 3), 10 * (number % 20), np.uint8)) for number in range(300)]
    write_sheet(tmp_path, Sheet("training", [("", "", "")] * 300, [Row((0,), "", cells)]))
    with Image.open(tmp_path / "sheets/training/0.webp") as strip:
        side = strip.height
        assert strip.width == 300 * side <= WIDEST
        found = np.asarray(strip).astype(int)
    for number in (0, 7, 150, 299):
        middle = found[side // 2, number * side + side // 2]
        assert np.abs(middle - 10 * (number % 20)).max() < 12


def test_names_of_files_are_as_short_as_they_can_be() -> None:
    """A file's own name, or as many folders before it as tell it from the others."""
    assert distinct_ends(["/a/one.pt", "b/two.pt"]) == ["one.pt", "two.pt"]
    assert distinct_ends(["/x/step1/model.pt", "/x/step2/model.pt"]) == ["step1/model.pt", "step2/model.pt"]
    assert distinct_ends(["same.pt", "same.pt"]) == ["same.pt", "same.pt"]
    assert distinct_ends([]) == []


def test_checkpoints_are_recorded_nowhere(project: Path) -> None:
    """Their files and their number are no part of what artifacts record, and so of what is published or compared."""
    plain = Task(STAGES["prepare"], compose(project, CHOSEN), OUTPUTS).settings()
    given = compose(project, CHOSEN, "prepare.checkpoints=[/home/secret/one.pt]")
    assert Task(STAGES["prepare"], given, OUTPUTS).settings() == plain
    assert "checkpoints" not in plain["prepare"]
    assert plain["prepare"]["min_side"]


def test_averages_make_a_gradient_smoother(made: Path) -> None:
    """In a network with strides and maxima the gradient has less fine power with averages in their place."""
    for row in sheets(made, LAYER)["gradients"]["rows"]:
        values = [cell["fine"] for cell in row["cells"]]
        assert values[-1] < values[0]
