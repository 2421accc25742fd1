"""Fidelity and speed at the default settings by the number of steps."""

from typing import Any

import numpy as np

from benchmarks.harness.rows import Row, row
from benchmarks.harness.timing import Side, interleaved
from benchmarks.render.cells import Cells
from benchmarks.render.ours import IconRenderer
from pipeline.config.render import RenderSettings

STEPS = (32, 64, 128, 224)


def steps_rows(
    cells: Cells, configured: RenderSettings, rounds: int, steps: tuple[int, ...]
) -> tuple[list[Row], list[dict[str, Any]]]:
    """Centered fidelity and speed of cold starts by their number of steps.

    Args:
        cells: rendered in one batch.
        configured: our settings of the stage, with the size of the layer's icons.
        rounds: timed rounds.
        steps: numbers of steps, ascending.

    Returns:
        Rows, and the same as points.
    """
    where = f"{cells.layer}, {configured.size} px, {configured.dtype}"
    renderers = {f"{number}": IconRenderer(cells, configured.model_copy(update={"steps": number})) for number in steps}
    found = {
        name: cells.measured(renderer.render(), configured.size).scores["fidelity_centred"]
        for name, renderer in renderers.items()
    }
    sides = {name: Side(renderer.render, len(cells.mean)) for name, renderer in renderers.items()}
    timed = interleaved(sides, rounds)
    rows, points = [], []
    for name, values in found.items():
        middle, low = float(np.median(values)), float(np.quantile(values, 0.1))
        speed = 1 / timed.median(name)
        rows += [
            row(f"{where}, {name} steps: median centered fidelity", middle, "cosine"),
            row(f"{where}, {name} steps: 10th percentile of centered fidelity", low, "cosine"),
            row(f"{where}, {name} steps: ours", speed, "icons/s"),
        ]
        points.append(
            {"layer": cells.layer, "steps": int(name), "centered": middle, "p10": low, "icons_per_second": speed}
        )
    return rows, points
