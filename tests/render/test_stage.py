import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from pipeline.compose import compose_config
from pipeline.core.artifacts import ACTIVATIONS, GRID, ICONS, MODEL
from pipeline.core.errors import ArtifactError, DataError
from pipeline.core.store import array, create, level, open_artifact, write_array
from pipeline.model.build import build, freeze
from pipeline.model.saved import save
from pipeline.params import parse_params
from pipeline.render.stage import run
from pipeline.stages import STAGES, Task
from tests.render.scene import Scene, scene

ROOT = Path(__file__).parents[2]
LAYER = "features.4"
ARCHITECTURE = {"_target_": "torchvision.models.squeezenet1_1", "num_classes": 5}
CELLS = np.array([[0, 0], [0, 1], [1, 1], [2, 2], [3, 0], [3, 3]])
DRAWN = np.array([True, True, False, True, True, True])


@pytest.fixture
def planted(tmp_path: Path) -> Callable[..., Task]:
    """A saved network, a grid of two levels and activations; gives the task for some overrides."""
    found = scene(freeze(build(ARCHITECTURE)), LAYER)
    save(MODEL.path(tmp_path), found.network, ARCHITECTURE, {})
    _plant_grid(tmp_path, found)

    def task(*overrides: str) -> Task:
        few = ["render.size=32", "render.steps=8", "render.batch_size=4", f"layers=[{LAYER}]"]
        params = parse_params(OmegaConf.to_container(compose_config(ROOT, [*few, *overrides])))
        return Task(STAGES["render"], params, tmp_path, LAYER, "all")

    return task


def _plant_grid(outputs: Path, found: Scene, means: np.ndarray | None = None) -> None:
    means = found.means if means is None else means
    with create(ACTIVATIONS, ACTIVATIONS.path(outputs, LAYER), {}, {}) as group:
        write_array(group, ACTIVATIONS, "activation", found.activations)
    with create(GRID, GRID.path(outputs, LAYER, "all"), {}, {}) as group:
        write_array(group, GRID, "mean", found.mean)
        for size in (4, 8):
            planted = group.create_group(str(size))
            write_array(planted, GRID, "cell", CELLS)
            write_array(planted, GRID, "drawn", DRAWN)
            write_array(planted, GRID, "activation", means)
            write_array(planted, GRID, "reliability", np.full(6, 0.9))


def test_drawn_cells_become_icons(planted: Callable[..., Task]) -> None:
    """Every level's drawn cells, and no others, with fidelities in range, metrics and a plot."""
    task = planted()
    run(task)
    icons = open_artifact(ICONS, task.path(ICONS))
    for size in (4, 8):
        group = level(icons, size)
        assert np.asarray(array(group, "cell")[:]).tolist() == [0, 1, 3, 4, 5]
        assert array(group, "icon").shape == (5, 32, 32, 3)
        assert array(group, "icon").dtype == np.uint8
        assert np.asarray(array(group, "icon")[:]).std() > 2
        assert (np.abs(np.asarray(array(group, "fidelity_centred")[:])) <= 1).all()
    metrics = json.loads((task.outputs / f"metrics/render/{LAYER}/all.json").read_text())
    assert metrics["8"]["icons"] == 5
    assert metrics["8"]["failed"] == 0
    assert metrics["8"]["fidelity_centred"]["ceiling"] == pytest.approx(0.9)
    assert 0 <= metrics["8"]["retrieval"]["exact"] <= metrics["8"]["retrieval"]["near"] <= 1
    rows = (task.outputs / f"plots/render/{LAYER}/all.csv").read_text().splitlines()
    assert sum(float(row.split(",")[2]) for row in rows[1:]) == pytest.approx(2, abs=0.01)


def test_the_same_settings_give_the_same_icons(planted: Callable[..., Task]) -> None:
    """Running the stage again gives the same bytes; another seed does not."""
    found = []
    for overrides in ([], [], ["seed=1"]):
        task = planted(*overrides)
        run(task)
        found.append(np.asarray(array(level(open_artifact(ICONS, task.path(ICONS)), 8), "icon")[:]))
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).mean() > 0.1


def test_whitened_directions_take_the_samples_covariance(planted: Callable[..., Task]) -> None:
    """The whitened space gives other icons than the centred one, and needs the activations."""
    centred, whitened = planted(), planted("render.space=whitened")
    found = []
    for task in (centred, whitened):
        run(task)
        found.append(np.asarray(array(level(open_artifact(ICONS, task.path(ICONS)), 4), "icon")[:]))
    assert (found[0] != found[1]).any()
    ACTIVATIONS.path(whitened.outputs, LAYER).rename(whitened.outputs / "gone")
    with pytest.raises(ArtifactError, match="activations"):
        run(whitened)


def test_one_layer_can_have_its_own_size(planted: Callable[..., Task]) -> None:
    """A size given for the layer wins over the common one."""
    task = planted(f"+render.size_by_layer={{{LAYER}:40}}")
    run(task)
    assert array(level(open_artifact(ICONS, task.path(ICONS)), 4), "icon").shape == (5, 40, 40, 3)


def test_icons_that_cannot_be_drawn_are_counted(
    planted: Callable[..., Task], capsys: pytest.CaptureFixture[str]
) -> None:
    """A cell whose mean is not a number is left out, counted and told; the others are drawn."""
    task = planted()
    found = scene(freeze(build(ARCHITECTURE)), LAYER)
    means = found.means.copy()
    means[3] = np.nan
    _plant_grid(task.outputs, found, means)
    run(task)
    metrics = json.loads((task.outputs / f"metrics/render/{LAYER}/all.json").read_text())
    assert (metrics["4"]["failed"], metrics["4"]["icons"]) == (1, 5)
    assert metrics["4"]["retried"] >= 1
    assert "1 COULD NOT BE DRAWN" in capsys.readouterr().err


def test_a_level_without_any_icon_is_an_error(planted: Callable[..., Task]) -> None:
    """Where nothing at all can be drawn the stage says so and leaves no artifact."""
    task = planted()
    found = scene(freeze(build(ARCHITECTURE)), LAYER)
    _plant_grid(task.outputs, found, np.full_like(found.means, np.nan))
    with pytest.raises(DataError, match="none of 5 could be drawn"):
        run(task)
    assert not task.path(ICONS).exists()
