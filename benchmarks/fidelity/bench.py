"""The benchmark of fidelity: whole levels at the default settings, baselines, and one half of the images by the other.

Icons are rendered as by the stage ``render``, the coarser level from noise and the finer from it. An icon that
would get a second start there gets none here.
"""

from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from benchmarks.fidelity.exemplars import patches
from benchmarks.fidelity.halves import halves_rows
from benchmarks.harness.report import Report
from benchmarks.harness.rows import Row, row
from benchmarks.real import Run, real_run
from benchmarks.render.cells import Cells, first_cells, level_cells, parents_of
from benchmarks.render.ours import IconRenderer
from pipeline.config.render import RenderSettings
from pipeline.core.progress import log_line
from pipeline.featurevis.renderer import Measured
from pipeline.render.fidelity import fidelity_floor, retrieval

LEVELS = (10, 20)
MEDIAN, LOW, FOUND = 0.90, 0.80, 97.0
EVERY = 10**9
QUICK = {"steps": 4, "warm_steps": 4, "batch_size": 4}


def run(quick: bool) -> Report:
    """Measure everything.

    Args:
        quick: few cells and steps.

    Raises:
        ConfigError: the real input is not there.
    """
    real = real_run()
    limit = 4 if quick else EVERY
    rows: list[Row] = []
    for layer in real.params.layers:
        configured = real.params.render.for_layer(layer)
        configured = configured.model_copy(update=QUICK) if quick else configured
        rows += _layer_rows(real, layer, configured, limit)
        log_line(f"{layer}: across image halves")
        rows += halves_rows(real, layer, LEVELS, configured, limit)
    return Report(rows)


def _layer_rows(real: Run, layer: str, configured: RenderSettings, limit: int) -> list[Row]:
    rows: list[Row] = []
    before: tuple[Cells, Tensor] | None = None  # the coarser level and its icons
    for level in LEVELS:
        cells = first_cells(level_cells(real, layer, level), limit, before[0] if before else None)
        log_line(f"{layer}: level {level}, {len(cells.mean)} cells")
        parents = before[1][parents_of(cells, before[0])] if before else None
        renderer = IconRenderer(cells, configured)
        began = perf_counter()
        icons = renderer.render_all(parents)
        speed = len(icons) / (perf_counter() - began)
        found = cells.measured(icons, configured.size)
        where = f"{layer}, {configured.size} px, level {level}, {len(icons)} cells"
        rows += [*_own(where, cells, found), row(f"{where}: ours", speed, "icons/s")]
        rows += _baselines(where, cells, icons, patches(real, cells, configured.size))
        if before is None:  # one level is enough to tell, and both would take as long again
            rows += _beside_raw(where, cells, found, configured)
        before = cells, icons
    return rows


def _own(where: str, cells: Cells, found: Measured) -> list[Row]:
    shares = retrieval(found.activation, cells.mean, cells.place, cells.layer_mean)
    centered = found.scores["fidelity_centred"]
    ceiling = float(np.nanmedian(cells.reliability))
    return [
        row(f"{where}: median centered fidelity", float(np.median(centered)), "cosine", at_least=MEDIAN),
        row(
            f"{where}: 10th percentile of centered fidelity", float(np.quantile(centered, 0.1)), "cosine", at_least=LOW
        ),
        row(f"{where}: retrieval, exact", 100 * shares.exact, "%", at_least=FOUND),
        row(f"{where}: retrieval within 3 × 3 cells", 100 * shares.near, "%"),
        row(f"{where}: median raw fidelity", float(np.median(found.scores["fidelity"])), "cosine"),
        row(f"{where}: ceiling, median reliability of the cells", ceiling, "cosine"),
    ]


def _baselines(where: str, cells: Cells, icons: Tensor, photographs: Tensor) -> list[Row]:
    """What a photograph's own patch, another cell's icon and the layer's mean reach."""
    size = icons.shape[1]
    patch = cells.measured(photographs, size)
    shares = retrieval(patch.activation, cells.mean, cells.place, cells.layer_mean)
    other = cells.measured(icons[_others(len(icons))], size)
    lowest = fidelity_floor(cells.mean, cells.layer_mean)
    return [
        row(
            f"{where}: best exemplar's patch, median centered fidelity",
            float(np.median(patch.scores["fidelity_centred"])),
            "cosine",
        ),
        row(
            f"{where}: best exemplar's patch, median raw fidelity", float(np.median(patch.scores["fidelity"])), "cosine"
        ),
        row(f"{where}: best exemplar's patch, retrieval", 100 * shares.exact, "%"),
        row(
            f"{where}: a random cell's icon, median centered fidelity",
            float(np.median(other.scores["fidelity_centred"])),
            "cosine",
        ),
        row(
            f"{where}: a random cell's icon, median raw fidelity", float(np.median(other.scores["fidelity"])), "cosine"
        ),
        row(f"{where}: floor, the layer's mean as every icon, median raw fidelity", float(np.median(lowest)), "cosine"),
    ]


def _others(count: int) -> Tensor:
    """For each icon another one: each takes the next in an order by chance."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    return torch.empty_like(order).scatter_(0, order, order.roll(-1))


def _beside_raw(where: str, cells: Cells, found: Measured, configured: RenderSettings) -> list[Row]:
    """The default objective's raw fidelity beside what drawing for raw activations gives."""
    raw = IconRenderer(cells, configured.model_copy(update={"space": "raw"})).render_all()
    theirs = float(np.median(cells.measured(raw, configured.size).scores["fidelity"]))
    ratio = float(np.median(found.scores["fidelity"])) / theirs
    what = f"{where}: median raw fidelity, the default objective against the raw objective"
    return [
        row(f"{where}: median raw fidelity of the raw objective", theirs, "cosine"),
        row(what, ratio, "x", at_least=1.0),
    ]
