"""Stage ``render``: grid → icons."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import zarr
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from pipeline.config.cluster import Address, Inline, Local, from_environment
from pipeline.config.render import RenderSettings
from pipeline.core import zarr_store
from pipeline.core.artifacts import ACTIVATIONS, GRID, ICONS, IMAGES, LAYOUT, MODEL
from pipeline.core.cells import assign_cells
from pipeline.core.icon_styles import IconStyle, add_style, by_level
from pipeline.core.moments import layer_statistics
from pipeline.core.progress import counted, log_line, progress
from pipeline.featurevis.activation_space import ActivationSpace, activation_space
from pipeline.featurevis.cache import CACHE, ImageCache, base_digest
from pipeline.featurevis.exemplar_statistics import (
    PatchStatisticsSpec,
    StatisticsPrior,
    prior_channels,
    usual_deviation,
)
from pipeline.featurevis.judge import JudgeSpec
from pipeline.featurevis.memory import check_memory
from pipeline.featurevis.renderer import CachedRenderer, RendererSpec
from pipeline.featurevis.sample_patches import PatchesSpec, Samples, cell_means
from pipeline.model.description import LayerShape, describe_network, read_description
from pipeline.parallel.pool import Pool, open_pool
from pipeline.render.fidelity import fidelity_histogram, level_metrics, summary_line
from pipeline.render.icons import Start, icon_arrays, start_from_patch, write_icons
from pipeline.render.large_icons import LargeIconRenderer, large_renderer_spec
from pipeline.render.legibility import LegibilityMeasure
from pipeline.render.levels import LevelCells, LevelRenderer, level_cells, rendered_levels
from pipeline.render.specification import renderer_spec
from pipeline.stages import Task

FORMER_CACHE = ".cache/icons"  # of earlier versions, whose icons have other keys
# settings that change no attempt at an icon; the layers of the statistics are in the objective's description
NOT_IN_KEY = {"size_by_layer", "statistics_layers", "attempts", "styles", "large_level", "large_scale"}
START: Mapping[IconStyle, str] = {"drawn": "noise", "accentuated": "exemplar"}  # a style's name in keys

Floats = NDArray[np.float32]


def run(task: Task) -> None:
    """Render an icon in each style for every drawn cell of every level of one (layer, atlas), from coarse to fine.

    Raises:
        ArtifactError: the grid, the activations or the network is missing or from another version.
        ConfigError: a batch does not fit into memory, or there are no workers.
        DataError: not one icon of a level could be rendered.
    """
    settings = task.params.render.for_layer(task.layer)
    grid = zarr_store.open_artifact(GRID, task.path(GRID))
    activations = zarr_store.open_artifact(ACTIVATIONS, task.path(ACTIVATIONS))
    levels = level_cells(grid)
    total = sum(len(cells.row) for cells in levels) * len(settings.styles)
    large = sum(len(cells.row) for cells in levels if cells.size == settings.large_level) * len(settings.styles)
    steps = counted(settings.steps, "step") + (f" ({settings.warm_steps} from an image)" if settings.warm_steps else "")
    styles = " and ".join(settings.styles)
    log_line(
        f"render {task.layer} {task.atlas}: {counted(total, 'icon')} of {settings.size} px, {styles}, {steps} each"
    )
    if large:
        log_line(f"  and {counted(large, 'large icon')} of {settings.large_side} px for level {settings.large_level}")
    _mention_former_cache(task.outputs)
    layer_mean = np.asarray(zarr_store.array(grid, "mean")[:], np.float32)
    metrics: dict[IconStyle, dict[str, dict[str, Any]]] = {style: {} for style in settings.styles}
    plot: dict[str, list[Any]] = {}
    began = time.monotonic()
    with (
        zarr_store.create(ICONS, task.path(ICONS), task.settings(), _inputs(task, grid)) as stored,
        open_pool(from_environment()) as pool,
        ImageCache(task.outputs / CACHE) as cache,
        progress("render", total + large, "icon") as bar,
    ):
        samples = Samples(
            np.asarray(zarr_store.array(activations, "image")[...]),
            np.asarray(zarr_store.array(activations, "position")[...]),
        )
        prior, statistics = _prior(task, settings, pool, samples, levels)
        legible = _legibility(task, settings, pool, samples, levels)
        targets = [np.concatenate([cells.mean, own], 1) for cells, own in zip(levels, statistics, strict=True)]
        example = np.concatenate([layer_mean + 1, np.zeros(statistics[0].shape[1], np.float32)])
        space = _activation_space(task, layer_mean, activations)
        model = task.path(MODEL).absolute()
        spec = renderer_spec(settings, task.layer, space, layer_mean, task.params.seed, model, prior)
        renderers = _renderers(task, settings, spec, example, layer_mean, pool, cache, with_large=bool(large))
        score = "fidelity" if settings.space == "raw" else "fidelity_centred"
        for style in settings.styles:
            group = add_style(stored, style)
            rendered = rendered_levels(
                LevelRenderer(renderers.icons, renderers.base(style), settings.attempts, score),
                levels,
                targets,
                partial(_advance, bar),
                warm=settings.warm_steps is not None,
                patches=_exemplar_patches(task, settings, samples, levels) if style == "accentuated" else None,
            )
            for cells, level in zip(levels, rendered, strict=True):
                icons = icon_arrays(level.icons, level.retried, cells.mean, settings.size)
                found = level_metrics(icons, cells.mean, cells.position, cells.reliability, layer_mean)
                judged, recognized = None, None
                if legible is not None:
                    valid = np.isfinite(icons.fidelity)
                    judged, found["legibility"] = legible(cells.size, cells.row, cells.exemplar, icons.icon, valid)
                    recognized = (found["legibility"].get("recognized") or {}).get("value")
                stored_level = group.create_group(str(cells.size))
                write_icons(stored_level, cells.row, icons, judged, recognized)
                if renderers.large is not None and cells.size == settings.large_level:
                    larger = renderers.large.render(style, level.icons, len(cells.row), partial(_advance, bar))
                    larger.write(stored_level)
                    found["large"] = larger.metrics()
                metrics[style][str(cells.size)] = found
                for name, rows in fidelity_histogram(cells.size, style, icons).items():
                    plot.setdefault(name, []).extend(rows)
    task.write_metrics(by_level(metrics))
    task.write_plot(plot)
    for style, levels_of_style in metrics.items():
        for size, numbers in levels_of_style.items():
            log_line("  " + summary_line(int(size), style, numbers))
    seconds = time.monotonic() - began
    log_line(
        f"  {counted(total + large, 'icon')} in {seconds:.0f} s, {counted(renderers.cache_hits, 'image')} from the "
        f"cache, {renderers.rendered} rendered → {task.path(ICONS)}"
    )


@dataclass(frozen=True)
class _Renderers:
    """The renderers of a layer's icons.

    Attributes:
        icons: of single icons.
        base: of the keys of all icons of a style.
        large: of large icons; None where no level has any.
        cached: all that render.
    """

    icons: CachedRenderer
    base: Callable[[IconStyle], bytes]
    large: LargeIconRenderer | None
    cached: Sequence[CachedRenderer]

    @property
    def cache_hits(self) -> int:
        """Images taken from the cache so far."""
        return sum(renderer.cache_hits for renderer in self.cached)

    @property
    def rendered(self) -> int:
        """Images rendered so far."""
        return sum(renderer.rendered for renderer in self.cached)


def _renderers(
    task: Task,
    settings: RenderSettings,
    spec: RendererSpec,
    example: Floats,
    layer_mean: Floats,
    pool: Pool,
    cache: ImageCache,
    *,
    with_large: bool,
) -> _Renderers:
    """The renderers of icons, and of large icons if wanted; memory for both is checked before the first image."""
    cluster = from_environment()
    checks = [partial(check_memory, pool, spec, example, cluster, "render")]

    def check() -> None:
        while checks:
            checks.pop(0)()

    def base(of: RendererSpec, more: dict[str, Any], style: IconStyle) -> bytes:
        inputs = _key_inputs(task, settings, of, example, layer_mean, cluster) | more
        return base_digest(_with_style(inputs, style))

    icons = CachedRenderer(cache, pool, spec, settings.batch_size, check)
    if not with_large:
        return _Renderers(icons, partial(base, spec, {}), None, [icons])
    larger, side = large_renderer_spec(spec, settings, _layers(task)), settings.large_side
    check_large = partial(check_memory, per_image=settings.large_scale**2)
    checks.append(partial(check_large, pool, larger, example, cluster, "render", "large icons"))
    cached = CachedRenderer(cache, pool, larger, larger.batch_size, check)
    large = LargeIconRenderer(cached, side, partial(base, larger, {"large_side": side}))
    return _Renderers(icons, partial(base, spec, {}), large, [icons, cached])


def _layers(task: Task) -> Mapping[str, LayerShape]:
    """The layers of the saved network, in the order of its modules."""
    return describe_network(task.path(MODEL)).layers


def _prior(
    task: Task, settings: RenderSettings, pool: Pool, samples: Samples, levels: Sequence[LevelCells]
) -> tuple[StatisticsPrior | None, list[Floats]]:
    """The pull towards the exemplars' statistics, and those of each level's cells [icon, statistic]; may be none."""
    channels = prior_channels(settings, task.layer, _layers(task))
    if not channels or not any(len(cells.row) for cells in levels):
        return None, [np.zeros((len(cells.row), 0), np.float32) for cells in levels]
    log_line(f"  feature statistics of the exemplars at {', '.join(channels)}")
    spec = PatchStatisticsSpec(_patches(task, settings), list(channels), settings.device)
    deviation = usual_deviation(pool, spec, samples)
    statistics = cell_means(pool, spec, samples, [cells.exemplar for cells in levels])
    return StatisticsPrior(channels, deviation, settings.statistics), statistics


def _exemplar_patches(
    task: Task, settings: RenderSettings, samples: Samples, levels: Sequence[LevelCells]
) -> list[list[Start]]:
    """The patch of each cell's nearest exemplar, as large as an icon, for each level."""
    spec = _patches(task, settings)
    patches = spec.open(spec.describe_network())
    nearest = np.unique(np.concatenate([cells.exemplar[:, 0] for cells in levels]))
    size = (settings.size, settings.size)
    starts = {}
    for row in nearest.tolist():  # in the order of images
        patch = Image.fromarray(patches(int(samples.image[row]), samples.position[row]))
        starts[row] = start_from_patch(np.array(patch.resize(size, Image.Resampling.BILINEAR)))
    return [[starts[row] for row in cells.exemplar[:, 0].tolist()] for cells in levels]


def _legibility(
    task: Task, settings: RenderSettings, pool: Pool, samples: Samples, levels: Sequence[LevelCells]
) -> LegibilityMeasure | None:
    """The measure of legibility, for the icons of all styles; None without a judge."""
    judge = task.params.as_written.judge
    if judge is None:
        return None
    log_line(f"  legibility of the icons, judged by {judge.name}")
    layout = zarr_store.open_artifact(LAYOUT, task.path(LAYOUT))
    points, xy = (np.asarray(zarr_store.array(layout, name)[...]) for name in ("sample", "xy"))
    cells = assign_cells(xy, [one.size for one in levels])
    spec = JudgeSpec(judge, _patches(task, settings), settings.device)
    return LegibilityMeasure(pool, spec, samples, cells, points, task.params.seed)


def _patches(task: Task, settings: RenderSettings) -> PatchesSpec:
    model, manifest = task.path(MODEL).absolute(), task.path(IMAGES).absolute()
    return PatchesSpec(model, manifest, task.params.as_written.images, task.layer, settings.size)


def _activation_space(task: Task, layer_mean: Floats, activations: zarr.Group) -> ActivationSpace:
    settings = task.params.render
    if settings.space != "whitened":
        return activation_space(settings.space, layer_mean)
    found = layer_statistics(zarr_store.array(activations, "activation"))
    return activation_space(settings.space, layer_mean, found.covariance, found.count, settings.shrinkage)


def _inputs(task: Task, grid: zarr.Group) -> dict[str, str]:
    return {GRID.name: zarr_store.artifact_identity(grid), MODEL.name: read_description(task.path(MODEL))["identity"]}


def _key_inputs(
    task: Task,
    settings: RenderSettings,
    spec: RendererSpec,
    example: Floats,
    layer_mean: Floats,
    cluster: Inline | Local | Address,
) -> dict[str, Any]:
    """Everything that can change an icon's pixels, whatever its style."""
    objective = spec.purpose.objective(torch.from_numpy(example)[None])
    return {
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


def _with_style(inputs: dict[str, Any], style: IconStyle) -> dict[str, Any]:
    """The inputs of a style's icons; it has the name and the values that it had before a run could have both."""
    return inputs | {"settings": inputs["settings"] | {"start": START[style]}}


def _advance(bar: "tqdm[None]", count: int) -> None:
    bar.update(count)


def _mention_former_cache(outputs: Path) -> None:
    folder = outputs / FORMER_CACHE
    if folder.is_dir():
        log_line(
            f"  {folder}: holds icons of an earlier version, which this version cannot use; delete it to free space"
        )
