"""Stage ``render``: grid → icons."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import zarr
from numpy.typing import NDArray
from tqdm import tqdm

from pipeline.config.cluster import Address, Inline, Local, from_environment
from pipeline.config.render import RenderSettings
from pipeline.core import zarr_store
from pipeline.core.artifacts import ACTIVATIONS, GRID, ICONS, MODEL
from pipeline.core.errors import DataError
from pipeline.core.moments import layer_statistics
from pipeline.core.progress import log_line, progress
from pipeline.featurevis.activation_space import ActivationSpace, activation_space
from pipeline.featurevis.cache import ImageCache, base_digest
from pipeline.featurevis.memory import check_memory
from pipeline.featurevis.renderer import CachedRenderer, RendererSpec
from pipeline.model.network import read_description
from pipeline.parallel.pool import open_pool
from pipeline.render.fidelity import fidelity_histogram, level_metrics, summary_line
from pipeline.render.icons import IconArrays, icon_arrays, write_icons
from pipeline.render.levels import LevelCells, LevelRenderer, RenderedLevel, level_cells, parent_icons
from pipeline.render.specification import renderer_spec
from pipeline.stages import Task

CACHE = ".cache/images"  # below outputs; DVC does not know of it, and all layers and atlases share it
FORMER_CACHE = ".cache/icons"  # of earlier versions, whose icons have other keys
NOT_IN_KEY = {"size_by_layer", "attempts"}  # settings that change no attempt at an icon


def run(task: Task) -> None:
    """Render an icon for every drawn cell of every level of one (layer, atlas), from coarse to fine.

    Raises:
        ArtifactError: the grid, the activations or the network is missing or from another version.
        ConfigError: a batch does not fit into memory, or there are no workers.
        DataError: not one icon of a level could be rendered.
    """
    settings = task.params.render.for_layer(task.layer)
    grid = zarr_store.open_artifact(GRID, task.path(GRID))
    levels = level_cells(grid)
    total = sum(len(cells.row) for cells in levels)
    steps = f"{settings.steps} steps" + (f" ({settings.warm_steps} from a parent)" if settings.warm_steps else "")
    log_line(f"render {task.layer} {task.atlas}: {total} icons of {settings.size} px, {steps} each")
    _mention_former_cache(task.outputs)
    layer_mean = np.asarray(zarr_store.array(grid, "mean")[:], np.float32)
    metrics: dict[str, Any] = {}
    plot: dict[str, list[Any]] = {}
    began = time.monotonic()
    with (
        zarr_store.create(ICONS, task.path(ICONS), task.settings(), _inputs(task, grid)) as stored,
        _cached_renderer(task, settings, layer_mean) as (renderer, base),
        progress("render", total, "icon") as bar,
    ):
        score = "fidelity" if settings.space == "raw" else "fidelity_centred"
        level_renderer = LevelRenderer(renderer, base, settings.attempts, score)
        for cells, icons in _rendered_levels(level_renderer, levels, task.layer, settings, bar):
            write_icons(stored.create_group(str(cells.size)), cells.row, icons)
            found = level_metrics(icons, cells.mean, cells.position, cells.reliability, layer_mean)
            metrics[str(cells.size)] = found
            for name, rows in fidelity_histogram(cells.size, icons).items():
                plot.setdefault(name, []).extend(rows)
    task.write_metrics(metrics)
    task.write_plot(plot)
    for size, numbers in metrics.items():
        log_line("  " + summary_line(int(size), numbers))
    seconds = time.monotonic() - began
    log_line(
        f"  {total} icons in {seconds:.0f} s, {renderer.cache_hits} images from the cache, "
        f"{renderer.rendered} rendered → {task.path(ICONS)}"
    )


@contextmanager
def _cached_renderer(
    task: Task, settings: RenderSettings, layer_mean: NDArray[np.float32]
) -> Iterator[tuple[CachedRenderer, bytes]]:
    """Workers with the cache, and the base of all keys."""
    space = _activation_space(task, layer_mean)
    spec = renderer_spec(settings, task.layer, space, layer_mean, task.params.seed, task.path(MODEL).absolute())
    cluster = from_environment()
    with open_pool(cluster) as pool, ImageCache(task.outputs / CACHE) as cache:
        check = partial(check_memory, pool, spec, layer_mean + 1, cluster, "render")
        base = _key_base(task, settings, spec, layer_mean, cluster)
        yield CachedRenderer(cache, pool, spec, settings.batch_size, check), base


def _activation_space(task: Task, layer_mean: NDArray[np.float32]) -> ActivationSpace:
    settings = task.params.render
    if settings.space != "whitened":
        return activation_space(settings.space, layer_mean)
    activations = zarr_store.open_artifact(ACTIVATIONS, task.path(ACTIVATIONS))
    found = layer_statistics(zarr_store.array(activations, "activation"))
    return activation_space(settings.space, layer_mean, found.covariance, found.count, settings.shrinkage)


def _inputs(task: Task, grid: zarr.Group) -> dict[str, str]:
    return {GRID.name: zarr_store.artifact_identity(grid), MODEL.name: read_description(task.path(MODEL))["identity"]}


def _key_base(
    task: Task,
    settings: RenderSettings,
    spec: RendererSpec,
    layer_mean: NDArray[np.float32],
    cluster: Inline | Local | Address,
) -> bytes:
    objective = spec.purpose.objective(torch.from_numpy(layer_mean)[None])
    return base_digest(
        {
            "network": read_description(task.path(MODEL))["identity"],
            "objective": objective.description,
            "layer_mean": layer_mean,
            "settings": settings.model_dump(mode="json", exclude=NOT_IN_KEY)
            # sums are split among threads; and one device is like another of its kind
            | {
                "device": torch.device(settings.device).type,
                "threads": cluster.threads or torch.get_num_threads(),
            },
            "seed": task.params.seed,
        }
    )


def _rendered_levels(
    renderer: LevelRenderer, levels: list[LevelCells], layer: str, settings: RenderSettings, bar: "tqdm[None]"
) -> Iterator[tuple[LevelCells, IconArrays]]:
    """Each level's cells and icons."""
    coarser: tuple[LevelCells, RenderedLevel] | tuple[None, None] = (None, None)
    for cells in levels:
        rendered = renderer.render(cells.mean, parent_icons(cells, *coarser), lambda count: _advance(bar, count))
        if len(cells.row) and not rendered.icons:
            raise DataError(
                f"render: expected icons for layer {layer}, level {cells.size}, found that none of "
                f"{len(cells.row)} could be rendered (no gradient, or numbers that are not finite); choose another "
                "layer, or try render.dtype=float32 and a lower render.learning_rate"
            )
        if settings.warm_steps:
            coarser = (cells, rendered)
        yield cells, icon_arrays(rendered.icons, rendered.retried, cells.mean, settings.size)


def _advance(bar: "tqdm[None]", count: int) -> None:
    bar.update(count)


def _mention_former_cache(outputs: Path) -> None:
    folder = outputs / FORMER_CACHE
    if folder.is_dir():
        log_line(
            f"  {folder}: holds icons of an earlier version, which this version cannot use; delete it to free space"
        )
