"""Stage ``render``: grid → icons."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from tqdm import tqdm

from pipeline.core import store
from pipeline.core.artifacts import ACTIVATIONS, GRID, ICONS, MODEL
from pipeline.core.errors import DataError
from pipeline.core.progress import progress, say
from pipeline.core.statistics import layer_statistics
from pipeline.model import saved
from pipeline.render.artist import Artist
from pipeline.render.directions import Space, space
from pipeline.render.level import Icons, draw_level
from pipeline.render.measures import histogram, level_metrics, summary
from pipeline.render.noise import Place
from pipeline.stages import Task


def run(task: Task) -> None:
    """Draw every drawn cell of every level of one (layer, atlas).

    Raises:
        ArtifactError: the grid, the activations or the network is missing or from another version.
        DataError: not one icon of a level could be drawn.
    """
    settings = task.params.render.for_layer(task.layer)
    grid = store.open_artifact(GRID, task.path(GRID))
    levels = {size: _Cells(store.level(grid, size)) for size in sorted(int(name) for name in grid.group_keys())}
    layer_mean = np.asarray(store.array(grid, "mean")[:], np.float32)
    network = saved.load(task.path(MODEL), settings.device)
    artist = Artist(network, task.layer, _space(task, layer_mean), layer_mean, settings, task.params.seed)
    total = sum(len(cells.row) for cells in levels.values())
    say(f"render {task.layer} {task.atlas}: {total} icons of {settings.size} px, {settings.steps} steps each")
    metrics: dict[str, Any] = {}
    plot: dict[str, list[Any]] = {}
    began = time.monotonic()
    with (
        store.create(ICONS, task.path(ICONS), task.settings(), _made_from(task, grid)) as stored,
        progress("render", total, "icon") as bar,
    ):
        for size, cells in levels.items():
            icons = _draw(task, artist, size, cells, bar)
            _write(stored.create_group(str(size)), cells.row, icons)
            metrics[str(size)] = level_metrics(icons, cells.mean, cells.place, cells.reliability, layer_mean)
            for name, rows in histogram(size, icons).items():
                plot.setdefault(name, []).extend(rows)
    task.write_metrics(metrics)
    task.write_plot(plot)
    _report(task.path(ICONS), metrics, total, time.monotonic() - began)


class _Cells:
    """The drawn cells of a level.

    Attributes:
        row: [icon], row among all cells of the level.
        place: [icon, 2] as (row, column).
        mean: [icon, channel], raw mean activation.
        reliability: [icon].
    """

    def __init__(self, level: zarr.Group) -> None:
        self.row: NDArray[np.intp] = np.flatnonzero(store.array(level, "drawn")[:])
        self.place: NDArray[np.int32] = np.asarray(store.array(level, "cell")[:])[self.row]
        self.mean: NDArray[np.float32] = np.asarray(store.array(level, "activation")[:])[self.row]
        self.reliability: NDArray[np.float32] = np.asarray(store.array(level, "reliability")[:])[self.row]


def _space(task: Task, layer_mean: NDArray[np.float32]) -> Space:
    settings = task.params.render
    if settings.space != "whitened":
        return space(settings.space, layer_mean)
    activations = store.open_artifact(ACTIVATIONS, task.path(ACTIVATIONS))
    found = layer_statistics(store.array(activations, "activation"))
    return space(settings.space, layer_mean, found.covariance, found.count, settings.shrinkage)


def _made_from(task: Task, grid: zarr.Group) -> dict[str, str]:
    return {GRID.name: store.artifact_identity(grid), MODEL.name: saved.describe(task.path(MODEL))["identity"]}


def _draw(task: Task, artist: Artist, size: int, cells: _Cells, bar: "tqdm[None]") -> Icons:
    settings = task.params.render
    places = [Place(task.layer, task.atlas, size, int(row), int(column)) for row, column in cells.place]
    icons = draw_level(artist, places, cells.mean, settings.batch_size, settings.attempts, lambda n: _tick(bar, n))
    if places and not np.isfinite(icons.fidelity).any():
        raise DataError(
            f"render: expected icons for layer {task.layer}, level {size}, found that none of {len(places)} could be "
            "drawn (no gradient, or numbers that are not finite); look at another layer, or try "
            "render.dtype=float32 and a lower render.learning_rate"
        )
    return icons


def _tick(bar: "tqdm[None]", count: int) -> None:
    bar.update(count)


def _write(level: zarr.Group, rows: NDArray[np.intp], icons: Icons) -> None:
    store.write_array(level, ICONS, "cell", rows)
    store.write_array(level, ICONS, "icon", icons.icon)
    store.write_array(level, ICONS, "fidelity", icons.fidelity)
    store.write_array(level, ICONS, "fidelity_centred", icons.fidelity_centred)


def _report(path: Path, metrics: dict[str, Any], total: int, seconds: float) -> None:
    for size, numbers in metrics.items():
        say("  " + summary(int(size), numbers))
    say(f"  {total} icons in {seconds:.0f} s ({total / max(seconds, 1e-9):.1f} a second) → {path}")
