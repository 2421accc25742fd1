"""The benchmark of sampling."""

import shutil
from functools import partial

from benchmarks.harness.report import Report
from benchmarks.harness.rows import Row, row
from benchmarks.harness.timing import Side, interleaved
from benchmarks.sample.bare import Bare
from benchmarks.sample.disk import disk_rows
from benchmarks.sample.real_input import RealInput, real_input
from pipeline.core.artifacts import ACTIVATIONS
from pipeline.core.progress import log_line
from pipeline.core.resumable import WORK
from pipeline.sample import stage
from pipeline.stages import Task

LAYERS = ("features.7", "features.12")
NINE = tuple(f"features.{number}" for number in (2, 3, 4, 5, 7, 8, 9, 10, 12))
GOAL = 0.9  # of the bare loop's speed
NINE_GOAL = 1.3  # times the deepest layer's time


def run(quick: bool) -> Report:
    """Measure everything.

    Args:
        quick: with few images and rounds.

    Raises:
        ConfigError: the real input is missing.
    """
    images, rounds = (32, 1) if quick else (768, 3)
    real = real_input(images)
    rows = [*_speed(real, images, rounds), *_nine(real, images, rounds)]
    shutil.rmtree(real.outputs)
    return Report(rows)


def _speed(real: RealInput, images: int, rounds: int) -> list[Row]:
    """The whole stage, from image files to finished artifacts, against the bare loop."""
    log_line(f"sampling {images} images at {', '.join(LAYERS)}: the stage and the bare loop in turn")
    positions = real.params.sample.positions_per_image
    bare = Bare(real.network, LAYERS, real.decoded(), positions)
    tasks = {attribution: real.task(LAYERS, attribution=attribution) for attribution in (False, True)}
    sides = {
        "ours": Side(partial(_run, tasks[False]), images),
        "bare": Side(bare.forward, images),
        "ours with": Side(partial(_run, tasks[True]), images),
        "bare with": Side(bare.with_tangents, images),
    }
    bare.forward()  # the first pass allocates what later ones reuse
    timed = interleaved(sides, rounds)
    rows = []
    for more, what in (
        ("", "without attributions"),
        (" with", f"with attributions to 1,000 classes, {positions} places"),
    ):
        rows += [
            row(f"{what}: the stage", 1 / timed.median(f"ours{more}"), "images/s"),
            row(f"{what}: the bare loop on decoded images", 1 / timed.median(f"bare{more}"), "images/s"),
            row(
                f"{what}: speed of the stage against the bare loop's",
                timed.ratio(f"bare{more}", f"ours{more}"),
                "x",
                at_least=GOAL,
            ),
        ]
    return rows + disk_rows(tasks[True])


def _nine(real: RealInput, images: int, rounds: int) -> list[Row]:
    """Nine layers in one pass against the deepest of them alone, without attributions."""
    log_line(f"sampling {images} images at nine layers, and at the deepest alone")
    sides = {
        name: Side(partial(_run, real.task(layers, attribution=False)), images)
        for name, layers in (("nine", NINE), ("deepest", NINE[-1:]))
    }
    ratio = interleaved(sides, rounds).ratio("nine", "deepest")
    return [row("time of nine layers in one pass against the deepest layer alone", ratio, "x", at_most=NINE_GOAL)]


def _run(task: Task) -> None:
    """The whole stage, without anything to resume."""
    for old in (task.path(ACTIVATIONS, LAYERS[0]).parent, task.outputs / WORK):
        shutil.rmtree(old, ignore_errors=True)
    stage.run(task)
