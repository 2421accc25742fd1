"""The stage ``grid``: from a layout to the mean activation of each cell."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core import artifacts as a
from pipeline.core import cells
from pipeline.core import moments as statistics
from pipeline.core import zarr_store as store
from pipeline.core.cluster import from_environment, open_pool
from pipeline.core.digests import folder_digest, folder_stat_digest, identity
from pipeline.core.errors import ArtifactError
from pipeline.core.progress import say
from pipeline.core.resumable import code_digest
from pipeline.grid.columns import columns, means
from pipeline.grid.measures import count_histogram, measure, report
from pipeline.grid.parts import Parts
from pipeline.grid.passes import Passes
from pipeline.grid.placed import Placed, place
from pipeline.stages import Task

PARTS = ".cache/grid"  # below outputs; DVC does not know of it
POINTS = 2**20  # of the layout, read at a time
CODE = [Path(__file__).parent, Path(cells.__file__), Path(statistics.__file__)]


def run(task: Task) -> None:
    """Average activations and attributions over the cells of every grid level.

    Raises:
        ArtifactError: activations or layout are missing, damaged or from another version.
        ConfigError: there are no workers.
    """
    activations = store.open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS))
    layout = store.open_artifact(a.LAYOUT, task.path(a.LAYOUT))
    made_from = {"activations": store.artifact_identity(activations), "layout": store.artifact_identity(layout)}
    samples, channels = store.array(activations, "activation").shape
    placed = _placed(layout, samples, task.params.grid.for_atlas(task.atlas))
    points = int(placed.counts[0].sum())
    say(f"grid {task.layer}/{task.atlas}: {points} samples × {channels} channels")
    image = np.asarray(store.array(activations, "image")[...])
    parts = _parts(task, made_from)
    parts.begin()
    metrics = _finished(task, parts)
    if metrics is None:
        with open_pool(from_environment()) as pool:
            passes = Passes(task.path(a.ACTIVATIONS).absolute(), activations, parts, pool, placed, image)
            passes.first()
            passes.second()
        metrics = _store(task, made_from, passes, placed, image)
    parts.end({"grid": folder_digest(task.path(a.GRID)), "metrics": metrics})
    task.write_metrics(metrics)
    task.write_plot(count_histogram(placed))
    report(f"grid {task.layer}/{task.atlas}", metrics)


def _store(
    task: Task, made_from: dict[str, str], passes: Passes, placed: Placed, image: NDArray[np.int64]
) -> dict[str, Any]:
    """Write the grid, and measure it level by level."""
    metrics = {}
    with store.create(a.GRID, task.path(a.GRID), task.settings(), made_from) as group, ThreadPoolExecutor(1) as beside:
        store.write_array(group, a.GRID, "mean", passes.part("mean"))
        levels = {level.size: group.create_group(str(level.size)) for level in placed.levels}
        # they are large, and compressed while the rest is worked out
        writing = [beside.submit(_write, levels[size], values) for size, values in means(passes, placed)]
        for size, values in columns(passes, placed, image, task.params.grid):
            _write(levels[size], values)
            metrics[str(size)] = measure(values)
        for written in writing:
            written.result()
    return metrics


def _finished(task: Task, parts: Parts) -> dict[str, Any] | None:
    """The numbers of a run that wrote this very grid and was stopped before it could say so; None where none did."""
    result = parts.result()
    if result is None or result.get("grid") != folder_digest(task.path(a.GRID)):
        return None
    say(f"grid {task.layer}/{task.atlas}: finished before")
    metrics: dict[str, Any] = result["metrics"]
    return metrics


def _placed(layout: zarr.Group, samples: int, sizes: tuple[int, ...]) -> Placed:
    try:
        return place(_points(layout), samples, sizes)
    except (ValueError, IndexError) as error:
        raise ArtifactError(
            f"{layout.store_path}: expected one place for each of some of {samples} samples, found {error}; run reduce "
            "again"
        ) from None


def _points(layout: zarr.Group) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    sample, xy = store.array(layout, "sample"), store.array(layout, "xy")
    for start in range(0, sample.shape[0], POINTS):
        yield np.asarray(sample[start : start + POINTS]), np.asarray(xy[start : start + POINTS])


def _parts(task: Task, made_from: dict[str, str]) -> Parts:
    """Where results of tasks are kept until all are there; those of other inputs, settings or code are not used."""
    of = {
        "attributes": a.GRID.attributes(task.settings(), made_from),
        # other code, or another machine, makes other numbers of the same settings
        "layout": folder_digest(task.path(a.LAYOUT)),
        "activations": folder_stat_digest(task.path(a.ACTIVATIONS)),
        "code": code_digest(CODE),
        "block_bytes": statistics.BLOCK_BYTES,
    }
    place_of = task.path(a.GRID).relative_to(task.outputs).with_suffix("")
    return Parts((task.outputs / PARTS / place_of.relative_to("grid")).absolute(), identity(of))


def _write(level: zarr.Group, values: dict[str, NDArray[Any]]) -> None:
    for name, array in values.items():
        store.write_array(level, a.GRID, name, array)
