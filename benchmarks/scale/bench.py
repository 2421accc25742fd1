"""The benchmark of scaling: with workers, and with samples."""

import os
from importlib import import_module
from pathlib import Path

from omegaconf import OmegaConf

from benchmarks.harness.report import Report
from benchmarks.real import real_data
from benchmarks.scale.memory import memory_rows
from benchmarks.scale.workers import worker_rows
from pipeline.compose import compose_config
from pipeline.config.params import Params, parse_params
from pipeline.core.files import discard
from pipeline.stages import STAGES, Task

SCRATCH = Path("outputs/.bench/scale")
IMAGES, QUICK_IMAGES = 256, 128
COUNTS, QUICK_COUNTS = (100_000, 1_000_000), (20_000,)
OVERRIDES = (
    "+experiment=imagenet_sample",
    "prepare.evaluate=false",
    "sample.batch_size=8",
    "reduce=pca",
    "grid.levels=[5,10]",
    "grid.min_count=3",
    "render.steps=24",
    "render.warm_steps=12",
    "render.batch_size=8",
)


def run(quick: bool) -> Report:
    """Measure everything.

    Args:
        quick: with fewer images, samples and rounds.

    Raises:
        ConfigError: the real input is missing.
    """
    os.environ["ATLAS_REAL_DATA"] = str(real_data())  # where conf/ looks
    limit = f"prepare.limit={QUICK_IMAGES if quick else IMAGES}"
    params = parse_params(OmegaConf.to_container(compose_config(Path.cwd(), [*OVERRIDES, limit])))
    discard(SCRATCH)
    outputs = SCRATCH / "real"
    _run_earlier_stages(params, outputs)
    rows = worker_rows(params, outputs, SCRATCH.absolute(), rounds=1 if quick else 3)
    rows += memory_rows(SCRATCH, QUICK_COUNTS if quick else COUNTS)
    discard(SCRATCH)
    return Report(rows)


def _run_earlier_stages(params: Params, outputs: Path) -> None:
    """Everything that the timed stages read."""
    for stage in ("prepare", "sample", "reduce", "grid"):
        layers = ("",) if stage in ("prepare", "sample") else params.layers
        for layer in layers:
            import_module(f"pipeline.{stage}.stage").run(Task(STAGES[stage], params, outputs, layer))
