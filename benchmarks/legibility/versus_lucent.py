"""Time to equal legibility at one layer: torch-lucent's icons and ours, until another network recognizes ours as well.

The target is the mean percentile of the own cell, over the deepest depths of the judge, that the icons of torch-lucent
reach in 128 steps, for each of its two sizes at the best of its learning rates. Ours are rendered as configured, with
feature statistics. Each number of steps is a run of its own with its whole schedule; the fewest that reach the target
count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.harness.rows import Row, row
from benchmarks.harness.timing import Side, interleaved
from benchmarks.legibility.judged import Judged, Legible, first_reaching
from benchmarks.render import lucent
from benchmarks.render.ours import Ours, Recipe
from benchmarks.render.points import TARGET_STEPS
from pipeline.config.render import RenderSettings
from pipeline.core.progress import log_line


@dataclass(frozen=True)
class Extent:
    """Extent of the measurement.

    Attributes:
        rates: learning rates of torch-lucent at our size.
        budgets: our numbers of steps, ascending.
        their_steps: that torch-lucent takes.
        rounds: timed rounds.
        timed_steps: of torch-lucent in each round.
    """

    rates: tuple[float, ...]
    budgets: tuple[int, ...]
    their_steps: int
    rounds: int
    timed_steps: int


FULL = Extent(
    rates=(0.02, 0.05),
    budgets=(4, 8, 12, 16, 24, 32, 64, 128, 224),
    their_steps=TARGET_STEPS,
    rounds=3,
    timed_steps=16,
)
QUICK = Extent(rates=(0.05,), budgets=(2, 4), their_steps=2, rounds=1, timed_steps=1)


@dataclass(frozen=True)
class Theirs:
    """torch-lucent's icons at one size.

    Attributes:
        frame: its pixels.
        rate: the learning rate that is best for it.
        reached: legibility.
    """

    frame: lucent.Frame
    rate: float
    reached: Legible


def rows_versus_lucent(judged: Judged, configured: RenderSettings, extent: Extent) -> list[Row]:
    """Legibility of torch-lucent's icons, the steps after which ours have it, and the ratio of the times.

    Args:
        judged: cells of one layer, rendered in one batch by both sides.
        configured: our settings of the stage, with the size of the layer's icons.
        extent: of the measurement.
    """
    cells, size = judged.cells, configured.size
    where = f"{cells.layer}, {size} px, {len(cells.mean)} cells"
    log_line(f"{where}: torch-lucent's icons and ours, by legibility")
    theirs = {
        "size": _theirs(judged, lucent.at_size(size), extent.rates, extent.their_steps),
        "default": _theirs(judged, lucent.defaults(), (lucent.DEFAULT_RATE,), extent.their_steps),
    }
    ours, found = {}, {}
    for steps in extent.budgets:
        ours[steps] = Ours(cells, configured, Recipe(size, steps, "bfloat16"))
        found[steps] = judged.legible(ours[steps].render())
    rows = []
    for name, side in theirs.items():
        what = f"{where}: {side.frame.name}, {extent.their_steps} steps"
        rows += _legibility_rows(what, side.reached)
        enough = first_reaching(found, side.reached.percentile)
        what = f"{where}, time to equal legibility: ours in bfloat16 against {side.frame.name}"
        if enough is None:
            rows.append(row(f"{what} (not reached in {extent.budgets[-1]} steps)", 0.0, "x", at_least=1))
            continue
        rows += _legibility_rows(f"{where}: ours in bfloat16, {enough} steps", found[enough])
        steps = min(extent.timed_steps, extent.their_steps)
        sides = {
            name: Side(partial(lucent.icons, cells, side.frame, side.rate, [steps]), steps / extent.their_steps),
            "ours": Side(ours[enough].render),
        }
        rows.append(row(what, interleaved(sides, extent.rounds).ratio(name, "ours"), "x", at_least=1))
    last = extent.budgets[-1]
    return [*rows, *_legibility_rows(f"{where}: ours in bfloat16, {last} steps", found[last])]


def _theirs(judged: Judged, frame: lucent.Frame, rates: Sequence[float], steps: int) -> Theirs:
    cells = judged.cells
    tries = [Theirs(frame, rate, judged.legible(lucent.icons(cells, frame, rate, [steps])[0])) for rate in rates]
    return max(tries, key=lambda one: (one.reached.percentile, one.reached.first))


def _legibility_rows(what: str, reached: Legible) -> list[Row]:
    return [
        row(f"{what}: percentile of the own cell", reached.percentile, "share"),
        row(f"{what}: own cell found first", reached.first, "share"),
    ]
