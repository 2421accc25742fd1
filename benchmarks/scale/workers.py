"""Two one-thread workers compared with one: speedup of the stages, without starting the workers."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from benchmarks.harness.rows import Row, row
from benchmarks.harness.timing import Side, interleaved
from benchmarks.scale.cluster import Cluster, use_cluster
from pipeline.config.params import Params
from pipeline.core.artifacts import ACTIVATIONS, GRID, ICONS
from pipeline.core.files import discard
from pipeline.core.progress import log_line
from pipeline.stages import STAGES, Task

GOAL = 1.7


def worker_rows(params: Params, outputs: Path, scratch: Path, rounds: int) -> list[Row]:
    """How many times faster two workers are than one, for ``sample``, ``grid`` and ``render``.

    The workers are separate processes that have started, and have run the stage once, before it is timed. Both clusters
    exist all the time; one of them idles.

    Args:
        params: of the run; icons are rendered for the first of its layers.
        outputs: of the run, with everything that the stages read.
        scratch: folder for the clusters' own files.
        rounds: timed rounds.
    """
    rows = []
    with Cluster(scratch / "one", 1) as one, Cluster(scratch / "two", 2) as two:
        plain = params.model_copy(update={"sample": params.sample.model_copy(update={"attribution": False})})
        for what, stage, settings, goal in (
            ("sample without attributions", "sample", plain, None),
            ("sample", "sample", params, GOAL),
            ("grid", "grid", params, None),
            ("render", "render", params, None),
        ):
            log_line(f"{what}: two workers beside one")
            work = _work(Task(STAGES[stage], settings, outputs, "" if stage == "sample" else params.layers[0]))
            sides = {name: Side(_on(cluster, work)) for name, cluster in (("one", one), ("two", two))}
            for side in sides.values():
                side.run()
            timed = interleaved(sides, rounds)
            ratio = timed.ratio("one", "two")
            rows.append(
                row(f"{what}: two one-thread workers against one, workers already up", ratio, "x", at_least=goal)
            )
            rows.append(row(f"{what}: with two workers", timed.median("two"), "s"))
    return rows


def _on(cluster: Cluster, work: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        with use_cluster(cluster):
            work()

    return run


def _work(task: Task) -> Callable[[], None]:
    """The stage without its artifact and without anything to resume."""
    stage = import_module(f"pipeline.{task.stage.name}.stage")
    artifact = {"sample": ACTIVATIONS, "grid": GRID, "render": ICONS}[task.stage.name]

    def run() -> None:
        for layer in task.params.layers if task.stage.name == "sample" else (task.layer,):
            discard(artifact.path(task.outputs, layer, task.atlas))
        discard(task.outputs / ".cache")
        stage.run(task)

    return run
