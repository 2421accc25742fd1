"""What toytown's cells and comparisons show with each baseline: parts of the class, and classes changed by patches.

Parts: of each class the cells of largest mean attribution; a cell counts where most of its exemplars show a part of the
class, by the masks of the scenes. Patches: the stage ``patch``, for pairs of classes that share parts.
"""

import json
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from benchmarks.attribution.networks import METHODS, of_first_images, set_params
from benchmarks.harness.rows import Row, row
from pipeline.core.artifacts import ACTIVATIONS, GRID, IMAGES, MODEL
from pipeline.core.bootstrap import draw_counts, percentile_interval
from pipeline.core.progress import log_line
from pipeline.core.zarr_store import array, level, open_artifact
from pipeline.images.manifest import read_manifest
from pipeline.images.toytown.scenes import SCENE_CLASSES
from pipeline.images.toytown.toytown import CLASSES, Scene, Toytown
from pipeline.model.network import load_network
from pipeline.stages import STAGES, Task

LAYER, LEVEL = "mixed4a", 20
PAIRS = (("streetcar", "fireboat"), ("house", "lighthouse"), ("train", "sailboat"))
BASELINES = ("zero", "mean")
TOP = 20  # cells of a class
NEAR = 0.125  # of the image's side, around an exemplar, in which a part counts as shown
COVERED = 0.05  # of that square, at least
RESAMPLES = 1000
QUICK_IMAGES = 120


def toytown_rows(quick: bool) -> list[Row]:
    """The rows of both baselines.

    Args:
        quick: few images, and patches of few candidates.
    """
    rows = []
    for baseline in BASELINES:
        log_line(f"toytown, {LAYER}, {baseline}: parts and patches")
        tasks = _gridded(baseline, quick)
        rows.append(_parts_row(baseline, tasks[0]))
        for task in tasks[1:]:
            rows += _patch_rows(baseline, task)
    return rows


def _gridded(baseline: str, quick: bool) -> list[Task]:
    """Tasks of the stage ``patch`` after all that it needs; the first one is of the atlas of all samples."""
    pairs = PAIRS[:1] if quick else PAIRS
    compared = ",".join(f"[{left},{right}]" for left, right in pairs)
    less = (
        "patch.candidates=4",
        "patch.keep=2",
        "patch.pool=2",
        "patch.images=16",
        "patch.search_images=2",
        "patch.min_images=2",
    )
    settings = [f"sample.{key}={value}" for key, value in METHODS[baseline].items()]
    params = set_params(
        "toytown",
        [*settings, f"layers=[{LAYER}]", f"comparisons=[{compared}]", f"grid.levels=[{LEVEL}]", "patch.examples=0"]
        + ([*less, "grid.min_count=1", "selection.min_samples=12"] if quick else []),
    )
    outputs = of_first_images("toytown", params, QUICK_IMAGES if quick else None, baseline)
    _run(Task(STAGES["sample"], params, outputs))
    tasks = [Task(STAGES["patch"], params, outputs, LAYER, atlas) for atlas in ("all", *params.compared)]
    for task in tasks:
        for stage in ("reduce", "grid"):
            _run(Task(STAGES[stage], params, outputs, LAYER, task.atlas))
    return tasks


def _run(task: Task) -> None:
    import_module(f"pipeline.{task.stage.name}.stage").run(task)


def _parts_row(baseline: str, task: Task) -> Row:
    """Share of each class's top cells that show a part of it."""
    stored = level(open_artifact(GRID, task.path(GRID)), LEVEL)
    drawn = np.asarray(array(stored, "drawn")[:])
    attribution = np.asarray(array(stored, "attribution")[:])[drawn]
    exemplars = np.asarray(array(stored, "exemplar")[:])[drawn]
    shown = _Shown(task)
    found = []
    for class_, name in enumerate(CLASSES):
        parts = SCENE_CLASSES[name].parts | SCENE_CLASSES[name].extras
        for cell in np.argsort(-attribution[:, class_], kind="stable")[:TOP]:
            seen = [shown(int(sample), parts) for sample in exemplars[cell] if sample >= 0]
            found.append(float(np.mean(seen) > 0.5))
    values = np.array(found)
    weights = draw_counts(np.random.default_rng(0), len(values), RESAMPLES)
    interval = percentile_interval(values.mean(), weights @ values / len(values))
    what = f"toytown, {LAYER}, {baseline}: top cells of a class that show a part of it"
    return row(f"{what} ({interval.low:.2f} to {interval.high:.2f})", interval.value, "share")


class _Shown:
    """Whether a part shows around a sample."""

    def __init__(self, task: Task) -> None:
        samples = open_artifact(ACTIVATIONS, task.path(ACTIVATIONS))
        shape = load_network(task.path(MODEL)).layers[LAYER]
        self._image = np.asarray(array(samples, "image")[...])
        self._center = (np.asarray(array(samples, "position")[...]) + 0.5) / [shape.height, shape.width]
        self._key = read_manifest(task.path(IMAGES)).key
        settings = task.params.images.arguments
        self._set = Toytown(settings["count"], settings["seed"], settings["size"])
        self._scenes: dict[int, Scene] = {}

    def __call__(self, sample: int, parts: frozenset[str]) -> bool:
        index = int(self._key[self._image[sample]])
        if index not in self._scenes:
            self._scenes[index] = self._set.scene(index)
        masks = self._scenes[index].masks
        return any(_around(masks[name], self._center[sample]).mean() > COVERED for name in parts & set(masks))


def _around(mask: NDArray[np.bool_], center: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The square of a mask around a place in 0..1."""
    side = len(mask)
    y, x = (slice(max(0, round(side * (at - NEAR))), round(side * (at + NEAR))) for at in center)
    return mask[y, x]


def _patch_rows(baseline: str, task: Task) -> list[Row]:
    """Rates of both directions of a comparison: the atlas's patches, and what they have over the best control."""
    _run(task)
    metrics = json.loads((task.outputs / "metrics" / "patch" / LAYER / f"{task.atlas}.json").read_text())
    rows = []
    for direction, found in metrics.items():
        if not found["tested"]:
            continue
        source, target = (CLASSES[int(class_)] for class_ in direction.split("-"))
        rates, over = found["static"]["atlas"], found["atlas_minus_best_control"]["static"]
        what = f"toytown, {LAYER}, {baseline}, {source} to {target}: becomes the other class"
        interval = f"({rates['targeted_low']:.2f} to {rates['targeted_high']:.2f})"
        rows.append(row(f"{what}, with the atlas's patch {interval}", rates["targeted"], "share"))
        interval = f"({over['low']:+.2f} to {over['high']:+.2f})"
        rows.append(row(f"{what}, atlas less the best control {interval}", over["value"], "share"))
    return rows
