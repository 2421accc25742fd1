"""Time to fidelity at one layer: first the curves, then all sides timed in turn at the points that reach the target."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from benchmarks.harness.timing import Side, interleaved
from benchmarks.render import lucent
from benchmarks.render.cells import Cells
from benchmarks.render.curves import lucent_points, our_points
from benchmarks.render.factors import SideResult, TimeToFidelity
from benchmarks.render.ours import Ours
from benchmarks.render.points import Point, first_reaching, target_point
from pipeline.config.render import RenderSettings
from pipeline.core.progress import log_line

RENDERS = 3  # of ours in each timed round, where one alone would be over too soon


@dataclass(frozen=True)
class Effort:
    """Extent of the measurement.

    Attributes:
        cells: icons, all in one batch.
        rates: learning rates of torch-lucent at our size.
        budgets: our numbers of steps, ascending.
        their_steps: numbers of steps after which torch-lucent is measured, ascending, up to 128.
        rounds: timed rounds.
        timed_steps: of torch-lucent in each round.
    """

    cells: int
    rates: tuple[float, ...]
    budgets: tuple[int, ...]
    their_steps: tuple[int, ...]
    rounds: int
    timed_steps: int


def measure_time_to_fidelity(
    cells: Cells, configured: RenderSettings, size: int, effort: Effort
) -> tuple[TimeToFidelity, list[dict[str, Any]]]:
    """Measure torch-lucent and ours at one layer.

    Args:
        cells: rendered in one batch by all sides.
        configured: our settings of the stage.
        size: side of our icons, pixels.
        effort: extent of the measurement.

    Returns:
        The comparison, and every point of every curve.
    """
    where = f"{cells.layer}, {size} px"
    log_line(f"{where}: torch-lucent's curves")
    at_size, default = lucent.at_size(size), lucent.defaults()
    theirs = lucent_points(cells, at_size, effort.rates, effort.their_steps, size)
    slow = lucent_points(cells, default, [lucent.DEFAULT_RATE], effort.their_steps, size)
    log_line(f"{where}: our curves")
    exact = our_points(cells, configured, size, "float32", effort.budgets)
    best = our_points(cells, configured, size, "bfloat16", effort.budgets)
    target = target_point(theirs)
    results = {
        "default": _side_result("default", default.name, slow, target),
        "size": _side_result("size", at_size.name, theirs, target),
        "exact": _side_result("exact", "ours in float32", [point for point, _ in exact], target),
        "best": _side_result("best", "ours in bfloat16", [point for point, _ in best], target),
    }
    log_line(f"{where}: all sides in turn")
    sides = {
        "default": _lucent_side(cells, default, results["default"].point, effort),
        "size": _lucent_side(cells, at_size, results["size"].point, effort),
        "exact": _our_side(cells, dict(exact)[results["exact"].point]),
        "best": _our_side(cells, dict(best)[results["best"].point]),
    }
    timed = interleaved(sides, effort.rounds)
    comparison = TimeToFidelity(where, target, **results, timed=timed)
    curves = [*slow, *theirs, *(point for point, _ in (*exact, *best))]
    return comparison, [{"layer": cells.layer, "size": size, **asdict(point)} for point in curves]


def _side_result(side: str, name: str, points: Sequence[Point], target: Point) -> SideResult:
    found = first_reaching(points, target.fidelity)
    most = max(points, key=lambda point: (point.steps, point.fidelity))
    return SideResult(side, name, found or most, found is not None)


def _lucent_side(cells: Cells, frame: lucent.Frame, point: Point, effort: Effort) -> Side:
    """Some of its steps; all are alike, so they stand for as many icons as they are a share of the steps."""
    steps = min(effort.timed_steps, point.steps)
    render = partial(lucent.icons, cells, frame, point.rate, [steps])
    return Side(render, len(cells.mean) * steps / point.steps)


def _our_side(cells: Cells, ours: Ours) -> Side:
    return Side(_repeated(ours.render), RENDERS * len(cells.mean))


def _repeated(render: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        for _ in range(RENDERS):
            render()

    return run
