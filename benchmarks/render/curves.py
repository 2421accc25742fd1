"""Fidelity of each side by its number of steps."""

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import product
from time import perf_counter

import numpy as np
from torch import Tensor

from benchmarks.render import lucent
from benchmarks.render.cells import Cells
from benchmarks.render.ours import VARIANTS, DType, Ours, Recipe
from benchmarks.render.points import Point, by_fidelity
from pipeline.config.render import RenderSettings


def lucent_points(
    cells: Cells, frame: lucent.Frame, at_rates: Iterable[float], budgets: Sequence[int], size: int
) -> list[Point]:
    """torch-lucent's curve at each learning rate, each point at the scale that is best for it.

    Args:
        cells: rendered in one batch.
        frame: its pixels.
        at_rates: learning rates.
        budgets: numbers of steps, ascending.
        size: side of our icons, pixels.
    """
    points = []
    for rate in at_rates:
        began = perf_counter()
        found = lucent.icons(cells, frame, rate, budgets)
        seconds_per_step = (perf_counter() - began) / budgets[-1]
        for steps, icons in zip(budgets, found, strict=True):
            side = partial(_point, frame.name, steps, rate, cells, icons, seconds=seconds_per_step * steps)
            points.append(max((side(seen=scale) for scale in frame.scales(size)), key=by_fidelity))
    return points


def our_points(
    cells: Cells, configured: RenderSettings, size: int, dtype: DType, budgets: Iterable[int]
) -> list[tuple[Point, Ours]]:
    """Our curves, one for each variant, each point with its renderer."""
    points = []
    for steps, variant in product(budgets, VARIANTS):
        recipe = Recipe(size, steps, dtype, variant)
        ours = Ours(cells, configured, recipe)
        began = perf_counter()
        icons = ours.render()
        seconds = perf_counter() - began
        rate = recipe.settings(configured).learning_rate
        point = _point(f"ours in {dtype}, {variant}", steps, rate, cells, icons, seconds=seconds, seen=size)
        points.append((point, ours))
    return points


def _point(side: str, steps: int, rate: float, cells: Cells, icons: Tensor, *, seconds: float, seen: int) -> Point:
    found = cells.measured(icons, seen)
    fidelity, centered = float(np.median(found.scores["fidelity"])), float(np.median(found.scores["fidelity_centred"]))
    return Point(side, steps, rate, fidelity, centered, seen, len(cells.mean) / seconds)
