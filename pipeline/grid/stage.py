"""Entry of the stage ``grid``: activations and a layout in, the mean activation of each cell out.

It writes the arrays of each grid level, numbers of each level, and a histogram of the cells' counts.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.config.cluster import from_environment
from pipeline.config.grid import GridSettings
from pipeline.core import artifacts as a
from pipeline.core import moments, zarr_store
from pipeline.core.code_dependencies import stage_digest
from pipeline.core.errors import ArtifactError
from pipeline.core.files import folder_digest, folder_stat_digest
from pipeline.core.progress import counted, log_line
from pipeline.core.resumable import ResumableArtifact, resume
from pipeline.grid.cell_assignment import SampleAssignment, assign_samples
from pipeline.grid.exemplars import exemplars, spread
from pipeline.grid.two_pass import TwoPass
from pipeline.parallel.pool import open_pool
from pipeline.stages import Task

POINTS_PER_BLOCK = 2**20  # of the layout
STORE = "store"  # the task that writes the grid's arrays


def run(task: Task) -> None:
    """Average activations and attributions over the cells of every grid level.

    Raises:
        ArtifactError: activations or layout are missing, damaged or from another version.
        ConfigError: there are no workers.
    """
    activations = zarr_store.open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS))
    layout = zarr_store.open_artifact(a.LAYOUT, task.path(a.LAYOUT))
    samples, channels = zarr_store.array(activations, "activation").shape
    cells = _assign_cells(layout, samples, task.params.grid.for_atlas(task.atlas))
    what = f"grid {task.layer}/{task.atlas}"
    log_line(f"{what}: {counted(int(cells.counts[0].sum()), 'sample')} × {counted(channels, 'channel')}")
    image = np.asarray(zarr_store.array(activations, "image")[...])
    spec = _artifact(task, activations, layout)
    classes = zarr_store.array(activations, "attribution").shape[1] if "attribution" in activations else 0
    with resume(spec, partial(_create_arrays, task, cells, channels, classes)) as checkpoint:
        metrics = checkpoint.task_record(STORE)
        if metrics is None:
            passes = TwoPass(task.path(a.ACTIVATIONS).absolute(), activations, checkpoint.results, cells, image)
            with open_pool(from_environment()) as pool:
                passes.run(pool)
            shards, metrics = _store(task, checkpoint.folder, passes, cells, image)
            checkpoint.finish(STORE, shards, metrics)
        else:
            log_line(f"{what}: finished before")
        checkpoint.results.discard_arrays()
    task.write_metrics(metrics)
    task.write_plot(count_histogram(cells))
    print_metrics(what, metrics)


def _artifact(task: Task, activations: zarr.Group, layout: zarr.Group) -> ResumableArtifact:
    """The grid; results of other inputs, settings or code are not used."""
    made_from = {
        "activations": zarr_store.artifact_identity(activations),
        "layout": zarr_store.artifact_identity(layout),
    }
    return ResumableArtifact(
        artifact=a.GRID,
        path=task.path(a.GRID),
        outputs=task.outputs,
        settings=task.settings(),
        made_from=made_from,
        results_depend_on={
            "attributes": a.GRID.attributes(task.settings(), made_from),
            # other code, or another machine, computes other numbers from the same settings
            "layout": folder_digest(task.path(a.LAYOUT)),
            "activations": folder_stat_digest(task.path(a.ACTIVATIONS)),
            "code": stage_digest("grid"),
            "block_bytes": moments.BLOCK_BYTES,
        },
    )


def _create_arrays(task: Task, cells: SampleAssignment, channels: int, classes: int, group: zarr.Group) -> None:
    """The empty arrays of all levels."""
    zarr_store.add_array(group, a.GRID, "mean", (channels,))
    for level in cells.levels:
        count = len(level.cell)
        shapes: Mapping[str, tuple[int, ...]] = {
            "activation": (count, channels),
            "attribution": (count, classes),
            "cell": (count, 2),
            "count": (count,),
            "drawn": (count,),
            "spread": (count,),
            "reliability": (count,),
            "exemplar": (count, task.params.grid.exemplars),
        }
        own = group.create_group(str(level.size))
        for name, shape in shapes.items():
            zarr_store.add_array(own, a.GRID, name, shape)


def _store(
    task: Task, folder: Path, passes: TwoPass, cells: SampleAssignment, image: NDArray[np.int64]
) -> tuple[dict[str, str], dict[str, Any]]:
    """Write the grid's arrays: (checksums of their shards, metrics by level)."""
    metrics = {}
    shards = _write(folder, {"mean": passes.means("mean")})
    with ThreadPoolExecutor(1) as thread:
        # the means are large, and compressed while everything else is computed
        writing = [
            thread.submit(_write, folder, {f"{size}/{name}": values for name, values in arrays.items()})
            for size, arrays in mean_arrays(passes, cells)
        ]
        for size, arrays in other_arrays(passes, cells, image, task.params.grid):
            shards |= _write(folder, {f"{size}/{name}": values for name, values in arrays.items()})
            metrics[str(size)] = level_metrics(arrays)
        for written in writing:
            shards |= written.result()
    return shards, metrics


def _write(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> dict[str, str]:
    stored = {
        name: values.astype(a.GRID.arrays[name.rpartition("/")[2]].dtype, copy=False) for name, values in arrays.items()
    }
    return zarr_store.write_shards(folder, stored, 0)


def _assign_cells(layout: zarr.Group, samples: int, sizes: tuple[int, ...]) -> SampleAssignment:
    try:
        return assign_samples(_points(layout), samples, sizes)
    except (ValueError, IndexError) as error:
        raise ArtifactError(
            f"{layout.store_path}: expected one point for each of some of {samples} samples, found {error}; run reduce "
            "again"
        ) from None


def _points(layout: zarr.Group) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    sample, xy = zarr_store.array(layout, "sample"), zarr_store.array(layout, "xy")
    for start in range(0, sample.shape[0], POINTS_PER_BLOCK):
        yield np.asarray(sample[start : start + POINTS_PER_BLOCK]), np.asarray(xy[start : start + POINTS_PER_BLOCK])


def mean_arrays(passes: TwoPass, cells: SampleAssignment) -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
    """Cells a side, and the mean activations and attributions, of each level from coarse to fine.

    Args:
        passes: both have run.
        cells: of the samples.
    """
    activation, attribution = passes.means("means"), passes.attribution()
    for level, own in zip(cells.levels, cells.level_slices, strict=True):
        yield level.size, {"activation": activation[own], "attribution": attribution[own]}


def other_arrays(
    passes: TwoPass, cells: SampleAssignment, image: NDArray[np.int64], settings: GridSettings
) -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
    """Cells a side, and all other arrays by name, of each level from coarse to fine.

    Args:
        passes: both have run.
        cells: of the samples.
        image: [sample] the image it comes from.
        settings: of the stage.
    """
    sample = np.flatnonzero(cells.label < cells.outside)
    finest, reliability = cells.label[sample], passes.means("reliability")
    for index, (level, count, own) in enumerate(zip(cells.levels, cells.counts, cells.level_slices, strict=True)):
        cosines, cell = passes.cosines(index)[sample], level.of_point[finest]
        yield (
            level.size,
            {
                "cell": level.cell,
                "count": count,
                "drawn": count >= settings.min_count,
                "spread": spread(cosines, cell, count),
                "reliability": reliability[own],
                "exemplar": exemplars(cosines, cell, sample, image[sample], len(count), settings.exemplars),
            },
        )


def level_metrics(arrays: Mapping[str, NDArray[Any]]) -> dict[str, float | int | None]:
    """Numbers of one level; the medians are over drawn cells, None where there is none to measure."""
    drawn = arrays["drawn"]
    return {
        "occupied": len(drawn),
        "drawn": int(drawn.sum()),
        "spread": _median(arrays["spread"][drawn]),
        "reliability": _median(arrays["reliability"][drawn]),
    }


def print_metrics(what: str, metrics: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the numbers of each level."""
    for size, numbers in metrics.items():
        if not numbers["drawn"]:
            log_line(
                f"{what} level {size}: {counted(numbers['occupied'], 'cell')} occupied, none drawn, since none has "
                "grid.min_count samples; the page does not offer this level"
            )
            continue
        medians = ", ".join(f"{name} {_format(numbers[name])}" for name in ("spread", "reliability"))
        log_line(
            f"{what} level {size}: {counted(numbers['occupied'], 'cell')} occupied, {numbers['drawn']:,} drawn; "
            f"median {medians}"
        )


def count_histogram(cells: SampleAssignment) -> dict[str, list[Any]]:
    """How many cells of each level hold 1, 2-3, 4-7, ... samples; ``count`` is the lower end of the range."""
    table: dict[str, list[Any]] = {"level": [], "count": [], "cells": []}
    for level, count in zip(cells.levels, cells.counts, strict=True):
        powers, occurrences = np.unique(np.log2(count).astype(np.int64), return_counts=True)
        table["level"] += [level.size] * len(powers)
        table["count"] += (2**powers).tolist()
        table["cells"] += occurrences.tolist()
    return table


def _median(values: NDArray[np.floating]) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else None


def _format(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
