"""Planted activations and a layout, and the stage ``grid`` on them."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from omegaconf import OmegaConf

from pipeline.compose import compose_config
from pipeline.config.params import Params, parse_params
from pipeline.core import zarr_store
from pipeline.core.artifacts import ACTIVATIONS, GRID, LAYOUT
from pipeline.grid.stage import run
from pipeline.stages import STAGES, Task

ROOT = Path(__file__).parents[2]
CHOSEN = np.random.default_rng(3).permutation(600)[:450]  # an atlas of some samples, in no order


@dataclass(frozen=True)
class Planted:
    """What is stored: activations and attributions of 600 samples, and the places of 450 of them."""

    activation: np.ndarray
    attribution: np.ndarray
    image: np.ndarray
    xy: np.ndarray


def plant(outputs: Path, *, attribution: bool, dtype: str = "float16") -> Planted:
    """Write activations in shards of 64 rows, and a layout with many points on cell corners."""
    generator = np.random.default_rng(0)
    found = Planted(
        # as half precision keeps them
        generator.gamma(1, size=(600, 7)).astype(np.float16).astype(np.float32),
        generator.normal(size=(600, 4)).astype(np.float16).astype(np.float32),
        np.arange(600) // 4,
        (generator.integers(0, 81, size=(450, 2)) / 80).astype(np.float32),
    )
    with zarr_store.create(ACTIVATIONS, ACTIVATIONS.path(outputs, "layer"), {}, {}) as group:
        for name, values in (("activation", found.activation), ("attribution", found.attribution)):
            if name == "activation" or attribution:
                array = zarr_store.add_array(group, ACTIVATIONS, name, values.shape, shard_rows=64, dtype=dtype)
                array[...] = values
        zarr_store.write_array(group, ACTIVATIONS, "image", found.image)
    with zarr_store.create(LAYOUT, LAYOUT.path(outputs, "layer", "all"), {}, {}) as group:
        zarr_store.write_array(group, LAYOUT, "sample", CHOSEN)
        zarr_store.write_array(group, LAYOUT, "xy", found.xy)
    return found


def grid_task(outputs: Path, *overrides: str) -> Task:
    """The stage on what was planted."""
    return Task(STAGES["grid"], composed(overrides), outputs, "layer", "all")


@cache
def composed(overrides: tuple[str, ...]) -> Params:
    """The configuration, which takes a while."""
    found = compose_config(ROOT, ["grid.levels=[5,10,20]", "grid.min_count=3", *overrides])
    return parse_params(OmegaConf.to_container(found))


def gridded(outputs: Path, *overrides: str) -> dict[int, dict[str, np.ndarray]]:
    """Run the stage and read every level."""
    task = grid_task(outputs, *overrides)
    run(task)
    grid = zarr_store.open_artifact(GRID, task.path(GRID))
    return {
        size: {name: np.asarray(array[...]) for name, array in zarr_store.level(grid, size).arrays()}
        for size in (5, 10, 20)
    }
