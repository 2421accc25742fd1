"""The benchmark of legibility: each real network's icons, judged by the other one, and toytown's.

All icons start from noise, or all from the patch of their cell's nearest exemplar, without a coarser level before them.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.fidelity.exemplars import patches
from benchmarks.harness.report import Report
from benchmarks.harness.rows import Row, row
from benchmarks.legibility.judged import JUDGES, Judged, recognized
from benchmarks.legibility.versus_lucent import FULL, rows_versus_lucent
from benchmarks.legibility.versus_lucent import QUICK as QUICK_VERSUS_LUCENT
from benchmarks.real import SQUEEZENET, Run, real_params, real_run
from benchmarks.render.cells import LEVEL, Cells, spread_cells
from benchmarks.render.ours import SEED, IconRenderer
from pipeline.config.model import ModelSettings
from pipeline.config.render import RenderSettings
from pipeline.core.bootstrap import draw_counts, percentile_interval
from pipeline.core.progress import log_line
from pipeline.featurevis.judge import DEEPEST

CELLS = 48
QUICK_CELLS = 8
VERSUS_LUCENT = 32  # cells of each of SqueezeNet's layers, all in one batch
QUICK = {"steps": 3, "warm_steps": 3, "batch_size": 4}
RESAMPLES = 2000
DRAWN = {"features.7": 0.9, "mixed3b": 0.5, "mixed4a": 0.5}  # of what real patches reach; other layers:
DRAWN_ELSEWHERE, ACCENTUATED = 0.75, 0.9


def run(quick: bool) -> Report:
    """Measure every layer of all networks.

    Args:
        quick: few cells and next to no steps.

    Raises:
        ConfigError: the real input is not there.
    """
    rows: list[Row] = []
    for experiment, judge in JUDGES.items():
        real = real_run(experiment)
        for layer in real.params.layers:
            log_line(f"{experiment}, {layer}: judged by {judge}")
            rows += _layer_rows(real, layer, real_params(judge).model, quick)
            if experiment == SQUEEZENET:
                rows += _versus_lucent(real, layer, real_params(judge).model, quick)
    return Report(rows)


def _versus_lucent(real: Run, layer: str, judge: ModelSettings, quick: bool) -> list[Row]:
    settings = real.params.render.for_layer(layer)
    cells = spread_cells(real, layer, QUICK_CELLS if quick else VERSUS_LUCENT, LEVEL)
    return rows_versus_lucent(Judged(cells, judge, settings.size), settings, QUICK_VERSUS_LUCENT if quick else FULL)


def _layer_rows(real: Run, layer: str, judge: ModelSettings, quick: bool) -> list[Row]:
    settings = real.params.render.for_layer(layer).model_copy(update=QUICK if quick else {})
    judged = Judged(spread_cells(real, layer, QUICK_CELLS if quick else CELLS, LEVEL), judge, settings.size)
    cells, where = judged.cells, f"{layer}, {settings.size} px"
    found = {"one real patch of each cell": judged.real()}
    fidelity = {}
    for name, icons in _pictures(real, cells, settings).items():
        found[name] = judged.icons(icons)
        fidelity[name] = np.median(cells.measured(icons, settings.size).scores["fidelity_centred"])
    ceiling = recognized(found["one real patch of each cell"])
    rows = []
    for name, one in found.items():
        interval = percentile_interval(recognized(one).mean(), _resampled(recognized(one)))
        what = f"{where}, {len(cells.mean)} cells: {name}"
        rows += [
            row(
                f"{what}: own cell found first (95 %: {interval.low:.2f} to {interval.high:.2f})",
                interval.value,
                "share",
            ),
            row(f"{what}: own cell among the first five", float(one.top(5)[-DEEPEST:].mean()), "share"),
            row(f"{what}: percentile of the own cell", float(one.percentile[-DEEPEST:].mean()), "share"),
        ]
        if name in fidelity:
            rows.append(row(f"{what}: median centered fidelity", float(fidelity[name]), "cosine"))
    for name, goal in (("drawn", DRAWN.get(layer, DRAWN_ELSEWHERE)), ("accentuated", ACCENTUATED)):
        ratio = float(recognized(found[name]).mean() / max(ceiling.mean(), 1e-9))
        rows.append(row(f"{where}: own cell found first, {name} icons : real patches", ratio, "x", at_least=goal))
    other = float(recognized(found["drawn, with the direction of another cell"]).mean())
    drawn = float(recognized(found["drawn"]).mean())
    ratio = drawn / max(other, 1 / len(cells.mean))
    rows.append(
        row(f"{where}: the prior's cell found first, with its own direction : another's", ratio, "x", at_least=3)
    )
    return rows


def _pictures(real: Run, cells: Cells, settings: RenderSettings) -> dict[str, Tensor]:
    """Pictures of the cells by how they were made, uint8 [cell, y, x, 3] each."""
    exemplar = patches(real, cells, settings.size)
    others = replace(cells, mean=np.roll(cells.mean, len(cells.mean) // 2, axis=0))
    alone = settings.model_copy(update={"statistics": 0.0})
    return {
        "the patch of the nearest exemplar": exemplar,
        "drawn": IconRenderer(cells, settings).render_all(),
        "drawn, the direction alone": IconRenderer(cells, alone).render_all(),
        "drawn, with the direction of another cell": IconRenderer(others, settings).render_all(),
        "accentuated": IconRenderer(cells, settings).render_all(exemplar),
    }


def _resampled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means over resampled cells, [resample]."""
    weights = draw_counts(np.random.default_rng(SEED), len(values), RESAMPLES)
    return np.asarray(weights @ values / len(values))
