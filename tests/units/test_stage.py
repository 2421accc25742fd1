import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

from pipeline.commands import OUTPUTS, run_stage
from pipeline.compose import compose_config, write_params
from pipeline.config.params import Params, parse_params
from pipeline.core.artifacts import UNITS
from pipeline.core.errors import ConfigError, ModelError
from pipeline.core.files import folder_digest
from pipeline.core.site_data import read_data_script
from pipeline.featurevis import renderer
from pipeline.plan.check import check_run
from pipeline.units.examples import Examples
from pipeline.units.report import Unit, unit_content
from pipeline.units.scan import Histogram
from tests.tiny_run import LAYER, TINY, checkout, photograph

IMAGES = 12
FAST = (
    "units.size=24",
    "units.steps=3",
    "units.compared=8",
    "units.examples=3",
    "units.diverse=2",
    "units.batch_size=4",
)
CHOSEN = f"+units.channels={{{LAYER}: [3, 40, 7]}}"


@pytest.fixture
def project(in_tmp: Path) -> Path:
    """A checkout with some photographs and a network with random weights."""
    for number in range(IMAGES):
        photograph(in_tmp / "photographs" / f"{number % 2}" / f"{number:02d}.png", number)
    checkout(in_tmp)
    compose(in_tmp)
    run_stage("prepare", [])
    return in_tmp


def compose(folder: Path, *overrides: str) -> Params:
    """Write the parameters of a tiny run."""
    config = compose_config(folder, [*TINY, *FAST, *(overrides or (CHOSEN,))])
    write_params(folder, config)
    return parse_params(OmegaConf.to_container(config))


def describe(layer: str = LAYER) -> Path:
    """Run the stage; its folder."""
    run_stage("units", [f"layer={layer}"])
    return UNITS.path(OUTPUTS, layer=layer)


def test_it_describes_the_chosen_units(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every chosen unit has its pictures, examples and figures; a second run draws nothing and has the same bytes."""
    params = compose(project)
    assert params.unit_layers == (LAYER,)
    folder = describe()
    content = read_data_script(folder / "units.js")
    assert [unit["channel"] for unit in content["units"]] == [3, 7, 40]
    assert (content["layer"], content["images"], content["channels"]) == (LAYER, IMAGES, content["channels"])
    for unit in content["units"]:
        roles = [picture["role"] for picture in unit["pictures"]]
        assert roles[0] == "high"
        assert roles.count("diverse") == 2
        assert size(folder / f"pictures/{unit['channel']}.webp") == (24, 24)
        assert size(folder / f"variants/{unit['channel']}.webp") == (24 * (len(roles) - 1), 24)
        assert [len(unit["examples"][kind]) for kind in ("highest", "middle", "lowest")] == [3, 3, 3]
        assert size(folder / f"examples/{unit['channel']}.webp") == (3 * 96, 3 * 96)
        assert size(folder / f"maps/{unit['channel']}.webp") == (3 * 144, 144)
        assert unit["low"] <= unit["threshold"] <= unit["high"]
        values = [example["activation"] for example in unit["examples"]["highest"]]
        assert values == sorted(values, reverse=True)
        assert values[0] == unit["high"]
        assert 0 <= unit["active"]["positions"] <= unit["active"]["images"] <= 1
        assert unit["nearest"]["channel"] != unit["channel"]
    for number, sheet in enumerate(content["filters"]):
        assert size(folder / f"filters/{number}.webp") == (sheet["width"], sheet["height"])
    assert content["filters"][0]["colors"]
    metrics = json.loads((OUTPUTS / f"metrics/units/{LAYER}.json").read_text())
    assert metrics["units"] == 3
    before, rendered = folder_digest(folder), renders(capsys)
    assert rendered
    assert folder_digest(describe()) == before
    assert not renders(capsys)


def size(path: Path) -> tuple[int, int]:
    """Width and height of a picture."""
    with Image.open(path) as image:
        return image.size


def renders(capsys: pytest.CaptureFixture[str]) -> bool:
    """Whether pictures were rendered: memory is checked before the first one."""
    return "a batch of" in capsys.readouterr().err


@pytest.mark.usefixtures("project")
def test_a_killed_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures that were finished before the run broke off are not rendered again; the bytes are those of one run."""
    whole = folder_digest(describe())
    for path in (OUTPUTS / ".cache/images").iterdir():
        path.unlink()
    sizes: list[int] = []
    original = renderer.BatchRenderer.render

    def breaking_off(self: renderer.BatchRenderer, requests: Sequence[Any]) -> Any:
        sizes.append(len(requests))
        if len(sizes) == 2:
            raise KeyboardInterrupt
        return original(self, requests)

    monkeypatch.setattr(renderer.BatchRenderer, "render", breaking_off)
    with pytest.raises(KeyboardInterrupt):
        describe()
    finished, _ = sizes
    assert folder_digest(describe()) == whole
    units = read_data_script(UNITS.path(OUTPUTS, layer=LAYER) / "units.js")["units"]
    assert sum(sizes[2:]) == sum(len(unit["pictures"]) for unit in units) - finished


SHEETS = "units.sheets=[ascent,start,regularization,preconditioning,interpolation]"


@pytest.mark.long
def test_sheets_compare_ways_to_optimize_the_same_units(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each sheet has a strip of as many pictures as columns for each unit, and their figures; none is drawn twice.

    Interpolations have two rows for each pair. A second run trains and renders nothing and writes the same bytes.
    """
    compose(project, CHOSEN, SHEETS, "units.training_steps=1", "+model@judge=small_inception", "judge.weights=random")
    folder = describe()
    sheets = {sheet["name"]: sheet for sheet in read_data_script(folder / "units.js")["sheets"]}
    assert list(sheets) == ["ascent", "start", "regularization", "preconditioning", "interpolation"]
    for name, sheet in sheets.items():
        pairs = name == "interpolation"
        channels = [row["channels"] for row in sheet["rows"]]
        assert channels == ([[3, 7], [3, 7], [7, 40], [7, 40]] if pairs else [[3], [7], [40]])
        for number, row in enumerate(sheet["rows"]):
            assert len(row["cells"]) == len(sheet["columns"])
            assert size(folder / f"sheets/{name}/{number}.webp") == (24 * len(row["cells"]), 24)
            assert all(len(cell["activation"]) == len(row["channels"]) for cell in row["cells"])
            assert all((cell["fidelity"] is None) == pairs for cell in row["cells"])
            assert all(cell["recognized"] in ((None,) if pairs else (0.0, 0.5, 1.0)) for cell in row["cells"])
            assert row["distance"][0] >= 0
    before = folder_digest(folder)
    assert "training a" in capsys.readouterr().err
    assert folder_digest(describe()) == before
    again = capsys.readouterr().err
    assert "training a" not in again
    assert "a batch of" not in again


def test_pictures_of_a_group_are_drawn_anew_in_another_group(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A picture that differs from three others is not one that differs from one: each has the bytes of a clean run."""
    compose(project, CHOSEN, "units.diverse=4")
    describe()
    compose(project, CHOSEN, "units.diverse=2")
    after = folder_digest(describe())
    assert renders(capsys)
    for path in (OUTPUTS / ".cache/images").iterdir():
        path.unlink()
    assert folder_digest(describe()) == after


def test_no_photograph_starts_a_picture_where_none_is_shown(project: Path) -> None:
    """With `units.examples=0` the sheet of starts has no column that starts from a photograph."""
    compose(project, CHOSEN, "units.sheets=[start]", "units.examples=0")
    (sheet,) = read_data_script(describe() / "units.js")["sheets"]
    assert [column["name"] for column in sheet["columns"]] == ["Noise 1", "Noise 2", "Zero", "Gray", "Black"]


def test_a_column_that_the_run_lacks_is_left_out(project: Path) -> None:
    """Without statistics there are neither their column nor facets; without photographs no mosaic of their pieces."""
    compose(project, CHOSEN, "units.sheets=[regularization]", "units.training_steps=1", "render.statistics=0")
    content = read_data_script(describe() / "units.js")
    names = [column["name"] for column in content["sheets"][0]["columns"]]
    assert "Feature statistics" not in names
    assert "Patch database" in names
    assert all(picture["role"] != "facet" for unit in content["units"] for picture in unit["pictures"])
    compose(project, CHOSEN, "units.sheets=[regularization]", "units.training_steps=1", "units.examples=0")
    (sheet,) = read_data_script(describe() / "units.js")["sheets"]
    names = [column["name"] for column in sheet["columns"]]
    assert "Feature statistics" in names
    assert "Patch database" not in names


def test_pairs_are_those_that_are_named(project: Path) -> None:
    """Named pairs alone are interpolated; one of a unit that is not described is refused before the run."""
    compose(project, CHOSEN, "units.sheets=[interpolation]", f"+units.pairs={{{LAYER}: [[40, 3]]}}")
    (sheet,) = read_data_script(describe() / "units.js")["sheets"]
    assert [row["channels"] for row in sheet["rows"]] == [[40, 3], [40, 3]]
    params = compose(project, CHOSEN, f"+units.pairs={{{LAYER}: [[40, 5]]}}")
    with pytest.raises(ConfigError, match=f"units.pairs.{LAYER}: expected pairs of units.channels.{LAYER}, found 5"):
        check_run(params, OUTPUTS)
    params = compose(project, CHOSEN, "+units.pairs={mixed3a: [[1, 2]]}")
    with pytest.raises(ConfigError, match=r"units.pairs: expected layers of units.channels, found 'mixed3a'"):
        check_run(params, OUTPUTS)


def test_without_examples_no_photograph_is_shown(project: Path) -> None:
    """With `units.examples=0` there is no patch and no name of an image below the folder."""
    compose(project, CHOSEN, "units.examples=0")
    folder = describe()
    assert not (folder / "examples").exists()
    assert not (folder / "maps").exists()
    assert ".png" not in (folder / "units.js").read_text()


@pytest.mark.parametrize("objective", ["channel", "probability"])
def test_classes_are_the_units_of_the_logits(project: Path, objective: str) -> None:
    """A class has pictures of the network's input size, whole images as examples, and its name."""
    params = compose(project, "+units.channels={logits: [1, 4]}", f"units.objective={objective}")
    check_run(params, OUTPUTS)
    folder = describe("logits")
    content = read_data_script(folder / "units.js")
    model = json.loads((OUTPUTS / "model/model.json").read_text())
    side = model["preprocessing"]["crop"]
    assert [(unit["channel"], unit["name"]) for unit in content["units"]] == [
        (number, model["classes"][number]) for number in (1, 4)
    ]
    assert content["patch"] == {"side": side, "input": side}
    for unit in content["units"]:
        assert {picture["role"] for picture in unit["pictures"]} <= {"high", "low", "diverse", "facet"}
        if unit["pictures"]:
            assert size(folder / f"pictures/{unit['channel']}.webp") == (side, side)
        assert all(example["position"] == [0, 0] for example in unit["examples"]["highest"])


def test_channels_may_be_a_number_or_all(project: Path) -> None:
    """A number spreads units evenly over the channels; `all` takes every one; too large a number takes all."""
    units = compose(project, f"+units.channels={{{LAYER}: 4}}").units
    assert units.chosen_channels(LAYER, 96) == [0, 24, 48, 72]
    assert units.chosen_channels(LAYER, 3) == [0, 1, 2]
    assert compose(project, f"+units.channels={{{LAYER}: all}}").units.chosen_channels(LAYER, 5) == list(range(5))


@pytest.mark.parametrize(
    ("channels", "line"),
    [
        (f"{{{LAYER}: [5, 4000]}}", f"units.channels.{LAYER}: expected channels from 0 to .*, found 4000"),
        (f"{{{LAYER}: []}}", f"units.channels.{LAYER}: expected channels, found none"),
        (
            "{logits: [10]}",
            "units.channels.logits: expected channels from 0 to 9, found 10",
        ),
        (
            "{mixed3: 4}",
            "units.channels: expected a layer with a map or token grid, found 'mixed3'; near names: mix",
        ),
    ],
)
def test_wrong_units_are_refused_in_one_line_before_the_run(project: Path, channels: str, line: str) -> None:
    """A channel or layer that the network does not have, or no channel at all, is refused by the check before a run."""
    params = compose(project, f"+units.channels={channels}")
    with pytest.raises(ConfigError, match=line):
        check_run(params, OUTPUTS)
    with pytest.raises((ConfigError, ModelError)):
        describe(params.unit_layers[0])


def test_a_silent_unit_has_an_entry() -> None:
    """What is not known of a unit that no image activates is null, and its histogram holds all positions in one bar."""
    nothing = np.zeros((1, 9), np.float32)
    none = Examples(np.arange(2), np.zeros((2, 2), np.int32), np.zeros(2, np.float32))
    unit = Unit(5, None, 0.0, 0.0, 0.0, 0.0, Histogram.of(nothing), {"highest": none}, None, (-1, float("nan")), [])
    content = json.loads(json.dumps(unit_content(unit, lambda row: (f"{row}.png", None), photographs=True)))
    assert content["clarity"] is None
    assert content["nearest"] == {"channel": -1, "correlation": None}
    assert content["histogram"]["counts"]["shape"] == [1]
    assert content["pictures"] == []
