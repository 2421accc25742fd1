"""Zoom warm start: icons that start from their parent cell's icon against icons that start from noise."""

from math import ceil
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.harness.rows import Row, row
from benchmarks.harness.timing import Side, interleaved
from benchmarks.real import Run
from benchmarks.render.cells import LEVEL, PARENT_LEVEL, Cells, level_cells, parents_of, spread_cells
from benchmarks.render.ours import IconRenderer
from pipeline.config.render import RenderSettings

COLD = (128, 224)  # steps of cold starts that warm ones are compared with
WARM = (16, 24, 32, 48, 64, 96, 128, 160, 224)

Found = dict[int, tuple[IconRenderer, float]]


def warm_rows(
    run: Run, layer: str, configured: RenderSettings, count: int, rounds: int, steps: tuple[tuple[int, ...], ...]
) -> tuple[list[Row], list[dict[str, Any]]]:
    """Warm steps that reach the fidelity of a cold start, and the time that they save over two levels.

    Args:
        run: the real input.
        layer: dotted module path.
        configured: our settings of the stage, with the size of the layer's icons.
        count: icons, all in one batch.
        rounds: timed rounds.
        steps: numbers of cold and of warm steps, ascending.

    Returns:
        Rows, and all points of both curves.
    """
    cells, coarse = spread_cells(run, layer, count), level_cells(run, layer, PARENT_LEVEL)
    parents = _parents(cells, coarse, configured)
    cold = {number: _rendered(cells, configured.model_copy(update={"steps": number}), None) for number in steps[0]}
    warm = {
        number: _rendered(cells, configured.model_copy(update={"warm_steps": number}), parents) for number in steps[1]
    }
    all_cells = (len(coarse.mean), len(level_cells(run, layer, LEVEL).mean))
    where = f"{layer}, {configured.size} px, level {LEVEL}"
    before = cells.measured(parents, configured.size).scores["fidelity_centred"]
    rows = [row(f"{where}: median centered fidelity of the parents' own icons", float(np.median(before)), "cosine")]
    for number in cold:
        rows += _against(where, cells, parents, cold, warm, number, rounds, all_cells, configured.steps)
    kept = {"cold start": cold, "warm start": warm}
    points = [
        {"layer": layer, "size": configured.size, "side": side, "steps": number, "fidelity_centred": found[1]}
        for side, curve in kept.items()
        for number, found in curve.items()
    ]
    return rows, points


def _parents(cells: Cells, coarse: Cells, configured: RenderSettings) -> Tensor:
    rows = parents_of(cells, coarse)
    needed, back = np.unique(rows, return_inverse=True)
    icons = IconRenderer(coarse.chosen(needed), configured).render_all()
    return icons[torch.from_numpy(back)]


def _rendered(cells: Cells, settings: RenderSettings, parents: Tensor | None) -> tuple[IconRenderer, float]:
    renderer = IconRenderer(cells, settings)
    found = cells.measured(renderer.render(parents), settings.size)
    return renderer, float(np.median(found.scores["fidelity_centred"]))


def _against(
    where: str,
    cells: Cells,
    parents: Tensor,
    cold: Found,
    warm: Found,
    number: int,
    rounds: int,
    icons: tuple[int, ...],
    parent_steps: int,
) -> list[Row]:
    """Rows about the fewest warm steps that are as good as ``number`` cold ones.

    Args:
        where: layer and size, for people.
        cells: rendered in one batch.
        parents: icons that warm starts begin with.
        cold: by steps, the renderer and the median fidelity.
        warm: the same, from parents.
        number: cold steps.
        rounds: timed rounds.
        icons: how many icons the whole levels have, the coarse one first.
        parent_steps: cold steps of the parents.
    """
    start, target = cold[number]
    rows = [row(f"{where}: median centered fidelity of a cold start of {number} steps", target, "cosine")]
    enough = next((steps for steps, (_, fidelity) in warm.items() if fidelity >= target), None)
    most = enough or max(warm)
    rows.append(row(f"{where}: median centered fidelity of a warm start of {most} steps", warm[most][1], "cosine"))
    if enough is None:
        return [*rows, row(f"{where}: what it lacks of the cold start's", target - warm[most][1], "cosine")]
    what = f"{where}: icons a second, warm start of {most} steps against cold start of {number}"
    sides = {
        "cold": Side(start.render, len(cells.mean)),
        "warm": Side(lambda: warm[most][0].render(parents), len(cells.mean)),
    }
    timed = interleaved(sides, rounds)
    rows.append(row(what, timed.ratio("cold", "warm"), "x"))
    if number != parent_steps:
        return rows
    batch = start.settings.batch_size
    first, second = (ceil(count / batch) * batch for count in icons)  # the last batch is filled up
    whole = [
        (first + second) * one / (first * one + second * other)
        for one, other in zip(timed.seconds["cold"], timed.seconds["warm"], strict=True)
    ]
    name = (
        f"{where} and its parents at level {PARENT_LEVEL}, whole levels: time all cold against parents cold, rest warm"
    )
    return [*rows, row(name, median(whole), "x")]
