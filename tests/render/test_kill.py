"""A render that is killed goes on where it stopped, and ends with the same bytes."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from pipeline.compose import compose_config
from pipeline.config.params import Params, parse_params
from pipeline.core.artifacts import GRID, MODEL
from pipeline.core.zarr_store import create, write_array
from pipeline.model.build import build, freeze
from pipeline.model.network import save_network
from pipeline.render.stage import run
from pipeline.stages import STAGES, Task
from tests.featurevis.scene import scene
from tests.render.planted_samples import exemplars, plant_samples
from tests.soak.kill_render import icons, killed, rows

ROOT = Path(__file__).parents[2]
LAYER = "mixed3b"
ARCHITECTURE = {"_target_": "pipeline.model.small_inception.SmallInception", "num_classes": 5}
SETTINGS = ["size=32", f"size_by_layer.{LAYER}=32", "steps=24", "warm_steps=16", "batch_size=2", "attempts=1"]


def plant(outputs: Path) -> Path:
    """A network and a grid of 9 and 36 cells, whose means lie between those of a small scene."""
    found = scene(freeze(build(ARCHITECTURE)), LAYER)
    save_network(MODEL.path(outputs), found.network, ARCHITECTURE, {})
    plant_samples(outputs, LAYER, found.activations)
    with create(GRID, GRID.path(outputs, LAYER, "all"), {}, {}) as group:
        write_array(group, GRID, "mean", found.mean)
        for size in (3, 6):
            cells = np.argwhere(np.ones((size, size)))
            shares = np.random.default_rng(size).dirichlet(np.ones(6), len(cells)).astype(np.float32)
            level = group.create_group(str(size))
            write_array(level, GRID, "cell", cells)
            write_array(level, GRID, "drawn", np.ones(len(cells), bool))
            write_array(level, GRID, "activation", shares @ found.means)
            write_array(level, GRID, "reliability", np.full(len(cells), 0.9))
            write_array(level, GRID, "exemplar", exemplars(len(cells), len(found.activations)))
    return outputs


@pytest.fixture
def params() -> Params:
    """Of a render that takes some seconds, in many small batches."""
    overrides = [f"layers=[{LAYER}]", *(f"render.{setting}" for setting in SETTINGS)]
    return parse_params(OmegaConf.to_container(compose_config(ROOT, overrides)))


@pytest.mark.long
def test_a_killed_render_ends_with_the_same_bytes(
    params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three kills every byte is that of a render left alone; what was kept is not drawn again."""
    monkeypatch.setenv("ATLAS_CLUSTER", '{"kind": "inline", "threads": 1}')
    alone, other = plant(tmp_path / "alone"), tmp_path / "other"
    shutil.copytree(alone, other)
    run(Task(STAGES["render"], params, alone, LAYER, "all"))
    total = rows(alone)
    assert total == 9 + 36
    told = killed(other, params, LAYER, kills=3, total=total, seed=1)
    assert icons(other, LAYER) == icons(alone, LAYER)
    assert told.drawn_twice == []
    assert told.total == total
    assert told.kept == sorted(told.kept)
    assert 0 < told.kept[-1] < total
    assert told.last_drawn == total - told.kept[-1]
