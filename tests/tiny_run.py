"""The whole pipeline in seconds, on the images of a folder; stages are called one after the other."""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf
from PIL import Image

from pipeline.commands import OUTPUTS, run_stage
from pipeline.compose import compose_config, write_params
from pipeline.config.params import parse_params
from pipeline.plan.check import check_run
from pipeline.stages import STAGES

ROOT = Path(__file__).parents[1]
LAYER = "mixed3b"
TINY = (
    *("images=image_folder", "images.root=photographs", "model.weights=random", f"layers=[{LAYER}]", "reduce=pca"),
    *("sample.positions_per_image=4", "sample.batch_size=8", "grid.levels=[2,4]", "grid.min_count=2"),
    *("render.steps=2", "render.warm_steps=1", "render.size=16", "render.size_by_layer.mixed3b=16"),
    *("predict.samples=8", "predict.cells=4", "predict.images=2"),
)


def checkout(folder: Path) -> Path:
    """Make ``folder`` a checkout of the project's configuration."""
    for name in ("conf", "dvc.yaml"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def photograph(path: Path, seed: int) -> None:
    """A picture of noise at ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (40, 40, 3), np.uint8)).save(path, "PNG")


def run(folder: Path, *overrides: str, changed: Mapping[str, Any] | None = None, leave_out: Sequence[str] = ()) -> None:
    """What `atlas run` does in the checkout ``folder``, which must be the current one.

    Args:
        folder: the checkout.
        overrides: beside those of :data:`TINY`.
        changed: settings that are hard to write as overrides, by key.
        leave_out: stages that do not run.
    """
    config = compose_config(folder, [*TINY, *overrides])
    for key, value in (changed or {}).items():
        OmegaConf.update(config, key, value)
    params = parse_params(OmegaConf.to_container(config))
    check_run(params, OUTPUTS)
    write_params(folder, config)
    for name in STAGES:
        if name not in leave_out:
            run_one(folder, name)


def run_one(folder: Path, name: str) -> None:
    """One stage of the checkout's run, for every layer and atlas."""
    stage = STAGES[name]
    params = parse_params(OmegaConf.to_container(OmegaConf.load(folder / "params.yaml")))
    for chosen in product(*(getattr(params, many) for many in stage.over.values())):
        run_stage(name, [f"{key}={value}" for key, value in zip(stage.over, chosen, strict=True)])
