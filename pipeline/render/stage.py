"""Stage ``render``: grid → icons."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
import zarr
from numpy.typing import NDArray
from tqdm import tqdm

from pipeline.config.cluster import Address, Inline, Local, from_environment
from pipeline.core import zarr_store as store
from pipeline.core.artifacts import ACTIVATIONS, GRID, ICONS, MODEL
from pipeline.core.errors import DataError
from pipeline.core.moments import layer_statistics
from pipeline.core.progress import log_line, progress
from pipeline.model.network import read_description
from pipeline.parallel.pool import open_pool
from pipeline.render.atelier import Atelier
from pipeline.render.cache import IconCache
from pipeline.render.directions import Space, space
from pipeline.render.engage import Engagement, check_memory, threads_of
from pipeline.render.icon_key import base_digest
from pipeline.render.level import Draughtsman, Icons, Level, gather
from pipeline.render.levels import Cells, drawn_cells, parents
from pipeline.render.measures import histogram, level_metrics, summary
from pipeline.stages import Task

CACHE = ".cache/icons"  # below outputs; DVC does not know of it, and all layers and atlases share it
HARMLESS = {"size_by_layer", "attempts"}  # settings that change no attempt at an icon


def run(task: Task) -> None:
    """Draw every drawn cell of every level of one (layer, atlas), from coarse to fine.

    Raises:
        ArtifactError: the grid, the activations or the network is missing or from another version.
        ConfigError: a batch does not fit into memory, or there are no workers.
        DataError: not one icon of a level could be drawn.
    """
    settings = task.params.render.for_layer(task.layer)
    grid = store.open_artifact(GRID, task.path(GRID))
    levels = drawn_cells(grid)
    total = sum(len(cells.row) for cells in levels)
    steps = f"{settings.steps} steps" + (f" ({settings.warm_steps} from a parent)" if settings.warm_steps else "")
    log_line(f"render {task.layer} {task.atlas}: {total} icons of {settings.size} px, {steps} each")
    engagement = _engagement(task, np.asarray(store.array(grid, "mean")[:], np.float32))
    metrics: dict[str, Any] = {}
    plot: dict[str, list[Any]] = {}
    began = time.monotonic()
    with (
        store.create(ICONS, task.path(ICONS), task.settings(), _made_from(task, grid)) as stored,
        _atelier(task, engagement) as (atelier, base),
        progress("render", total, "icon") as bar,
    ):
        draughtsman = Draughtsman(atelier, base, settings.attempts, settings.space == "raw")
        for cells, icons in _drawn(draughtsman, levels, engagement, bar):
            _write(stored.create_group(str(cells.size)), cells.row, icons)
            found = level_metrics(icons, cells.mean, cells.place, cells.reliability, engagement.layer_mean)
            metrics[str(cells.size)] = found
            for name, rows in histogram(cells.size, icons).items():
                plot.setdefault(name, []).extend(rows)
    task.write_metrics(metrics)
    task.write_plot(plot)
    for size, numbers in metrics.items():
        log_line("  " + summary(int(size), numbers))
    seconds = time.monotonic() - began
    log_line(
        f"  {total} icons in {seconds:.0f} s, {atelier.taken} drawings from the cache, {atelier.drawn} new → "
        f"{task.path(ICONS)}"
    )


def _engagement(task: Task, layer_mean: NDArray[np.float32]) -> Engagement:
    return Engagement(
        model=task.path(MODEL).absolute(),
        layer=task.layer,
        space=_space(task, layer_mean),
        layer_mean=layer_mean,
        settings=task.params.render.for_layer(task.layer),
        seed=task.params.seed,
    )


def _space(task: Task, layer_mean: NDArray[np.float32]) -> Space:
    settings = task.params.render
    if settings.space != "whitened":
        return space(settings.space, layer_mean)
    activations = store.open_artifact(ACTIVATIONS, task.path(ACTIVATIONS))
    found = layer_statistics(store.array(activations, "activation"))
    return space(settings.space, layer_mean, found.covariance, found.count, settings.shrinkage)


def _made_from(task: Task, grid: zarr.Group) -> dict[str, str]:
    return {GRID.name: store.artifact_identity(grid), MODEL.name: read_description(task.path(MODEL))["identity"]}


@contextmanager
def _atelier(task: Task, engagement: Engagement) -> Iterator[tuple[Atelier, bytes]]:
    """Workers, the cache and what all keys begin with."""
    cluster = from_environment()
    with open_pool(cluster) as pool, IconCache(task.outputs / CACHE) as cache:
        check = partial(check_memory, pool, engagement, cluster)
        yield Atelier(cache, pool, engagement, engagement.settings.batch_size, check), _base(task, engagement, cluster)


def _base(task: Task, engagement: Engagement, cluster: Inline | Local | Address) -> bytes:
    settings = engagement.settings.model_dump(mode="json", exclude=HARMLESS)
    # sums are split among threads; and one device is like another of its kind
    settings |= {"device": torch.device(engagement.settings.device).type, "threads": threads_of(cluster)}
    return base_digest(
        network=read_description(task.path(MODEL))["identity"],
        layer=engagement.layer,
        origin=engagement.space.origin,
        root=engagement.space.root,
        layer_mean=engagement.layer_mean,
        settings=settings,
        seed=engagement.seed,
    )


def _drawn(
    draughtsman: Draughtsman, levels: list[Cells], engagement: Engagement, bar: "tqdm[None]"
) -> Iterator[tuple[Cells, Icons]]:
    """Each level's cells and icons."""
    coarser: tuple[Cells, Level] | tuple[None, None] = (None, None)
    for cells in levels:
        before = parents(cells, *coarser)
        icons = draughtsman.draw(cells.mean, before, lambda count: _tick(bar, count))
        if len(cells.row) and not icons.finished:
            raise DataError(
                f"render: expected icons for layer {engagement.layer}, level {cells.size}, found that none of "
                f"{len(cells.row)} could be drawn (no gradient, or numbers that are not finite); look at another "
                "layer, or try render.dtype=float32 and a lower render.learning_rate"
            )
        if engagement.settings.warm_steps:
            coarser = (cells, icons)
        yield cells, gather(icons, cells.mean, engagement.settings.size)


def _tick(bar: "tqdm[None]", count: int) -> None:
    bar.update(count)


def _write(level: zarr.Group, rows: NDArray[np.intp], icons: Icons) -> None:
    store.write_array(level, ICONS, "cell", rows)
    store.write_array(level, ICONS, "icon", icons.icon)
    store.write_array(level, ICONS, "fidelity", icons.fidelity)
    store.write_array(level, ICONS, "fidelity_centred", icons.fidelity_centred)
    store.write_array(level, ICONS, "key", icons.key)
    store.write_array(level, ICONS, "parent", icons.parent)
