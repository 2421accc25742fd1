"""The stage ``grid``: from a layout to the mean activation of each cell."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core import artifacts as a
from pipeline.core import store
from pipeline.core.cells import Level, nested_levels
from pipeline.core.progress import say, tracked
from pipeline.core.statistics import block_bounds, grouped_sums, layer_mean
from pipeline.grid.blocks import point_blocks
from pipeline.grid.second_pass import cosines_to_means, exemplars, spread
from pipeline.grid.sums import coarser, image_half, reliability
from pipeline.stages import Task


@dataclass(frozen=True)
class Points:
    """The points of an atlas: [point] arrays, in the order of the layout."""

    sample: NDArray[np.int64]
    xy: NDArray[np.float32]
    image: NDArray[np.int64]


@dataclass(frozen=True)
class Sums:
    """Sums over the points of each cell of one level: activations and counts of both halves, attributions."""

    halves: NDArray[np.float64]
    half_counts: NDArray[np.float64]
    attribution: NDArray[np.float64]

    def coarser(self, fine: Level, coarse: Level) -> "Sums":
        """The same for the next coarser level."""
        return Sums(*(coarser(sums, fine, coarse) for sums in (self.halves, self.half_counts, self.attribution)))


def run(task: Task) -> None:
    """Average activations and attributions over the cells of every grid level."""
    settings = task.params.grid
    activations = store.open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS))
    layout = store.open_artifact(a.LAYOUT, task.path(a.LAYOUT))
    points = _points(activations, layout)
    array = store.array(activations, "activation")
    say(f"grid {task.layer}/{task.atlas}: {len(points.sample)} samples × {array.shape[1]} channels")

    levels = nested_levels(points.xy, settings.for_atlas(task.atlas))
    sums = _all_sums(activations, points, levels)
    mean = layer_mean(array)
    means = [_divided(level_sums.halves.sum(axis=1), level) for level_sums, level in zip(sums, levels, strict=True)]
    blocks = _tracked_blocks(array, points.sample, f"{task.layer}: cosines to cell means")
    cosines = cosines_to_means(blocks, levels, means, mean)

    made_from = {"activations": store.artifact_identity(activations), "layout": store.artifact_identity(layout)}
    metrics = {}
    with store.create(a.GRID, task.path(a.GRID), task.settings(), made_from) as group:
        store.write_array(group, a.GRID, "mean", mean)
        for index, level in enumerate(levels):
            columns: dict[str, NDArray[Any]] = {
                "cell": level.cell,
                "count": level.count,
                "drawn": level.count >= settings.min_count,
                "activation": means[index],
                "attribution": _divided(sums[index].attribution, level),
                "spread": spread(cosines[index], level),
                "reliability": reliability(sums[index].halves, sums[index].half_counts, mean),
                "exemplar": exemplars(cosines[index], level, points.sample, points.image, settings.exemplars),
            }
            at_level = group.create_group(str(level.size))
            for name, values in columns.items():
                store.write_array(at_level, a.GRID, name, values)
            metrics[str(level.size)] = _measure(columns)
    _report(task, metrics, levels)


def _points(activations: zarr.Group, layout: zarr.Group) -> Points:
    sample = np.asarray(store.array(layout, "sample")[...])
    image = np.asarray(store.array(activations, "image")[...])
    return Points(sample, np.asarray(store.array(layout, "xy")[...]), image[sample])


def _all_sums(activations: zarr.Group, points: Points, levels: Sequence[Level]) -> list[Sums]:
    """Sums of every level, coarsest first: the finest from the stored rows, each other from the next finer one."""
    finest = levels[-1]
    cells = len(finest.cell)
    array = store.array(activations, "activation")
    half = finest.of_point * 2 + image_half(points.image)
    blocks = _tracked_blocks(array, points.sample, "sums of activations")
    halves = grouped_sums(blocks, half, 2 * cells, array.shape[1]).reshape(cells, 2, -1)
    attribution = np.zeros((cells, 0))
    if "attribution" in activations:
        classes = store.array(activations, "attribution")
        blocks = _tracked_blocks(classes, points.sample, "sums of attributions")
        attribution = grouped_sums(blocks, finest.of_point, cells, classes.shape[1])
    sums = [Sums(halves, np.bincount(half, minlength=2 * cells).reshape(cells, 2).astype(np.float64), attribution)]
    for coarse, fine in zip(levels[-2::-1], levels[:0:-1], strict=True):
        sums.insert(0, sums[0].coarser(fine, coarse))
    return sums


def _tracked_blocks(
    array: zarr.Array[Any], sample: NDArray[np.int64], what: str
) -> Iterator[tuple[NDArray[np.int64], NDArray[Any]]]:
    return tracked(point_blocks(array, sample), what, len(block_bounds(array)), "block")


def _divided(sums: NDArray[np.float64], level: Level) -> NDArray[np.float32]:
    """Means [cell, ...] from sums; every cell has at least one point."""
    return (sums / level.count[:, None]).astype(np.float32)


def _measure(columns: Mapping[str, NDArray[Any]]) -> dict[str, float | int | None]:
    """Numbers of one level; the medians are over drawn cells, None where there is none to measure."""
    drawn = columns["drawn"]
    return {
        "occupied": len(drawn),
        "drawn": int(drawn.sum()),
        "spread": _median(columns["spread"][drawn]),
        "reliability": _median(columns["reliability"][drawn]),
    }


def _median(values: NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else None


def _report(task: Task, metrics: Mapping[str, Mapping[str, Any]], levels: Sequence[Level]) -> None:
    task.write_metrics(metrics)
    task.write_plot(_count_histogram(levels))
    for size, numbers in metrics.items():
        medians = ", ".join(f"{name} {_shown(numbers[name])}" for name in ("spread", "reliability"))
        say(
            f"grid {task.layer}/{task.atlas} level {size}: {numbers['occupied']} cells occupied, {numbers['drawn']} "
            f"drawn; median {medians}"
        )


def _shown(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def _count_histogram(levels: Sequence[Level]) -> dict[str, list[Any]]:
    """How many cells of each level hold 1, 2-3, 4-7, ... samples; ``count`` is the lower end of the range."""
    table: dict[str, list[Any]] = {"level": [], "count": [], "cells": []}
    for level in levels:
        powers, cells = np.unique(np.log2(level.count).astype(np.int64), return_counts=True)
        table["level"] += [level.size] * len(powers)
        table["count"] += (2**powers).tolist()
        table["cells"] += cells.tolist()
    return table
