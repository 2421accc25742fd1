"""The benchmark of the render engine, part by part."""

from functools import partial
from typing import Any

from benchmarks.harness.report import Report
from benchmarks.harness.rows import Row
from benchmarks.real import Run, real_run
from benchmarks.render.bare import step_rows
from benchmarks.render.batches import batch_rows
from benchmarks.render.cells import Cells, spread_cells
from benchmarks.render.steps import STEPS, steps_rows
from benchmarks.render.time_to_fidelity import Effort, measure_time_to_fidelity
from benchmarks.render.warm import COLD, WARM, warm_rows
from pipeline.core.progress import log_line

Part = tuple[list[Row], list[dict[str, Any]]]

SIZES = {"features.7": 64, "features.12": 96}  # sides of the icons, pixels
FULL = Effort(
    cells=32,
    rates=(0.02, 0.05),
    budgets=(8, 10, 12, 14, 16, 20, 24, 32, 64),
    their_steps=(16, 32, 64, 96, 128),
    rounds=3,
    timed_steps=16,
)
QUICK = Effort(cells=8, rates=(0.05,), budgets=(8, 16, 32), their_steps=(32, 128), rounds=2, timed_steps=4)


def run(quick: bool) -> Report:
    """Measure everything.

    Args:
        quick: with fewer cells, learning rates, budgets and rounds.

    Raises:
        ConfigError: the real input is not there.
    """
    effort = QUICK if quick else FULL
    real = real_run()
    rows: list[Row] = []
    curves: list[dict[str, Any]] = []
    for layer, size in SIZES.items():
        configured = real.params.render
        cells = spread_cells(real, layer, effort.cells)
        time_to_fidelity, points = measure_time_to_fidelity(cells, configured, size, effort)
        rows += time_to_fidelity.rows()
        curves += points
        log_line(f"{layer}, {size} px: our step against the bare network's, and batch sizes")
        rows += step_rows(cells, configured, size, steps=8 if quick else 32, rounds=effort.rounds)
        rows += batch_rows(
            partial(spread_cells, real, layer), configured, size, steps=2 if quick else 16, rounds=effort.rounds
        )
        for part in (_warm(real, layer, effort, quick), _steps(real, cells, quick)):
            rows += part[0]
            curves += part[1]
    return Report(rows, curves)


def _warm(real: Run, layer: str, effort: Effort, quick: bool) -> Part:
    log_line(f"{layer}: warm starts against cold ones")
    steps = ((8,), (4, 8)) if quick else (COLD, WARM)
    return warm_rows(real, layer, real.params.render.for_layer(layer), effort.cells, 2, steps)


def _steps(real: Run, cells: Cells, quick: bool) -> Part:
    log_line(f"{cells.layer}: number of steps")
    configured = real.params.render.for_layer(cells.layer)
    return steps_rows(cells, configured, 1, (4, 8) if quick else STEPS)
