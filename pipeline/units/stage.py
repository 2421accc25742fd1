"""Entry of the stage ``units``: images and network in; pictures, examples and figures of single channels out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.config.cluster import from_environment
from pipeline.config.render import RenderSettings
from pipeline.core.artifacts import IMAGES, MODEL, UNITS
from pipeline.core.errors import DataError
from pipeline.core.files import atomic
from pipeline.core.progress import counted, log_line, progress
from pipeline.core.site_data import data_script
from pipeline.featurevis.cache import CACHE, CachedImage, ImageCache, base_digest
from pipeline.featurevis.engine_settings import (
    cold_config,
    parameterization,
    random_transform,
    regularizers,
    warm_config,
)
from pipeline.featurevis.exemplar_statistics import (
    PatchStatisticsSpec,
    StatisticsPrior,
    prior_channels,
    usual_deviation,
)
from pipeline.featurevis.memory import check_memory
from pipeline.featurevis.renderer import CachedRenderer, RendererSpec
from pipeline.featurevis.sample_patches import MeasurementSpec, PatchesSpec, Samples, measured
from pipeline.images.crops import CropSize, relative_positions
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import Manifest, read_manifest
from pipeline.images.thumbnails import label_name
from pipeline.model.description import LOGITS, NetworkDescription, describe_network, read_description
from pipeline.model.network import output_shape
from pipeline.model.positions import map_positions
from pipeline.parallel.pool import Pool, open_pool
from pipeline.stages import Task
from pipeline.units.examples import KINDS, Examples, choose_examples
from pipeline.units.figures import Clusters, EmbeddingSpec, cluster_patches, embedding_layer, nearest_unit
from pipeline.units.pictures import PictureRequest, UnitPurpose, picture_requests, render_pictures
from pipeline.units.report import Picture, Unit, unit_content, write_patches, write_pictures
from pipeline.units.scan import Scan, ScannerSpec, scan_images

# settings of `render` that change no picture of a unit
NOT_IN_KEY = {
    *("size", "size_by_layer", "steps", "batch_size", "warm_steps", "warm_learning_rate", "styles", "large_level"),
    *("large_scale", "space", "cosine_power", "shrinkage", "statistics_layers", "attempts", "device"),
}

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class _Inputs:
    """What the stage works on.

    Attributes:
        manifest: the images.
        network: without its weights.
        labels: names of the image set's classes.
        channels: the units.
        settings: of the engine, those of ``render`` with the size and the steps of the units.
        patches: of the layer's positions, as large as a picture.
        crops: of the layer's positions, as large as its receptive field.
    """

    manifest: Manifest
    network: NetworkDescription
    labels: Sequence[str]
    channels: Sequence[int]
    settings: RenderSettings
    patches: PatchesSpec
    crops: PatchesSpec


def run(task: Task) -> None:
    """Describe the chosen units of one layer.

    Raises:
        ConfigError: the layer has no units to describe, a channel that it does not have is named, or a batch does not
            fit into memory.
        ModelError: there is no such layer, or it has no positions.
        DataError: an activation is not finite, or no picture could be rendered.
    """
    inputs = _read_inputs(task)
    settings = task.params.units
    log_line(f"units {task.layer}: {counted(len(inputs.channels), 'unit')}, {counted(len(inputs.manifest), 'image')}")
    with (
        open_pool(from_environment()) as pool,
        ImageCache(task.outputs / CACHE) as cache,
        atomic(task.path(UNITS)) as folder,
    ):
        scan = scan_images(pool, _scanner(task, inputs), len(inputs.manifest))
        width = output_shape(task.layer, inputs.network).width
        strongest = [
            choose_examples(scan, unit, settings.compared, width)["highest"] for unit in range(len(inputs.channels))
        ]
        clusters = _clusters(pool, inputs, settings.device, strongest)
        pictures = _pictures(task, inputs, pool, cache, scan, strongest, clusters)
        units = [
            _unit(task, inputs, scan, number, clusters[number], pictures[number])
            for number in range(len(inputs.channels))
        ]
        _write(task, inputs, folder, units)
    task.write_metrics(_metrics(units))
    log_line(f"  {_summary(units)} → {task.path(UNITS)}")


def _read_inputs(task: Task) -> _Inputs:
    units = task.params.units
    model, manifest_path = task.path(MODEL).absolute(), task.path(IMAGES).absolute()
    network = describe_network(model)
    shape = output_shape(task.layer, network)
    whole = shape.is_tokens or task.layer == LOGITS
    settings = task.params.render.model_copy(
        update={"size": units.size, "steps": units.steps, "batch_size": units.batch_size, "device": units.device}
    )
    side = network.preprocessing.crop
    size = side if whole else units.size
    crop = CropSize(shape.receptive_field, side)
    patches = PatchesSpec(model, manifest_path, task.params.as_written.images, task.layer, size)
    return _Inputs(
        manifest=read_manifest(manifest_path),
        network=network,
        labels=open_image_set(task.params.images).classes,
        channels=units.chosen_channels(task.layer, shape.channels),
        settings=settings.model_copy(update={"size": size}),
        patches=patches,
        crops=replace(patches, size=side if whole else crop.pixels),
    )


def _scanner(task: Task, inputs: _Inputs) -> ScannerSpec:
    units, patches = task.params.units, inputs.patches
    return ScannerSpec(
        patches.model, patches.manifest, patches.images, task.layer, inputs.channels, units.batch_size, units.device
    )


def _clusters(pool: Pool, inputs: _Inputs, device: str, strongest: Sequence[Examples]) -> list[Clusters | None]:
    """The clusters of each unit's strongest patches; None where there are fewer than two."""
    layer = embedding_layer(inputs.network.layers, len(inputs.network.classes))
    spec = EmbeddingSpec(inputs.crops, layer, device)
    rows = _measure(pool, spec, strongest)
    mean = np.concatenate(rows).mean(axis=0, dtype=np.float64).astype(np.float32)
    return [cluster_patches(embedding, mean) if len(embedding) > 1 else None for embedding in rows]


def _measure(pool: Pool, spec: MeasurementSpec, examples: Sequence[Examples]) -> list[Floats]:
    """What a measurement finds on the patches of each unit's examples, [example, number]."""
    samples = Samples(
        np.concatenate([one.image for one in examples]), np.concatenate([one.position for one in examples])
    )
    order = np.lexsort((samples.position[:, 1], samples.position[:, 0], samples.image))  # an image is opened once
    found = np.concatenate([values for _, values in measured(pool, spec, samples[order])])
    back = np.empty_like(found)
    back[order] = found
    return np.split(back, np.cumsum([len(one) for one in examples])[:-1])


def _pictures(
    task: Task,
    inputs: _Inputs,
    pool: Pool,
    cache: ImageCache,
    scan: Scan,
    strongest: Sequence[Examples],
    clusters: Sequence[Clusters | None],
) -> list[list[Picture]]:
    """The pictures of each unit."""
    units = task.params.units
    prior, statistics = _prior(task, inputs, pool, strongest)
    wanted = [
        (number, role, picture)
        for number, channel in enumerate(inputs.channels)
        for role, picture in picture_requests(
            channel,
            float(scan.highest[:, number].max()),
            float(scan.lowest[:, number].min()),
            statistics[number],
            clusters[number],
            units,
            group=number,
        )
    ]
    found: list[list[Picture]] = [[] for _ in inputs.channels]
    with progress(f"units {task.layer}", len(wanted), "picture") as bar:

        def advance(count: int) -> None:
            bar.update(count)

        for diversity in (0.0, units.diversity):
            some = [one for one in wanted if (one[1] == "diverse") == bool(diversity)]
            images = _render(task, inputs, pool, cache, prior, diversity, [one for _, _, one in some], advance)
            for (number, role, _), image in zip(some, images, strict=True):
                if image is not None:
                    found[number].append(Picture(role, image.image, image.scores["activation"]))
    if wanted and not any(found):
        raise DataError(
            f"units {task.layer}: expected pictures, found that none of {len(wanted)} could be rendered (no gradient, "
            "or numbers that are not finite); choose another layer, or try render.dtype=float32"
        )
    return found


def _prior(
    task: Task, inputs: _Inputs, pool: Pool, strongest: Sequence[Examples]
) -> tuple[StatisticsPrior | None, list[Floats]]:
    """The pull towards the statistics of real patches, and those of each unit's strongest ones, [patch, statistic]."""
    channels = prior_channels(inputs.settings, _map_layer(task, inputs), inputs.network.layers)
    if not channels:
        return None, [np.zeros((len(one), 0), np.float32) for one in strongest]
    spec = PatchStatisticsSpec(inputs.patches, list(channels), inputs.settings.device)
    shape = output_shape(task.layer, inputs.network)
    places = relative_positions(task.params.seed, inputs.manifest.digest, 1)
    positions = map_positions(places, shape.height, shape.width, 0)[:, 0]
    deviation = usual_deviation(pool, spec, Samples(inputs.manifest.image, positions))
    return StatisticsPrior(channels, deviation, inputs.settings.statistics), _measure(pool, spec, strongest)


def _map_layer(task: Task, inputs: _Inputs) -> str:
    """The units' layer; for the logits, which have no map, the deepest layer that has one."""
    network = inputs.network
    return embedding_layer(network.layers, len(network.classes)) if task.layer == LOGITS else task.layer


def _render(
    task: Task,
    inputs: _Inputs,
    pool: Pool,
    cache: ImageCache,
    prior: StatisticsPrior | None,
    diversity: float,
    wanted: Sequence[PictureRequest],
    advance: Callable[[int], None],
) -> list[CachedImage | None]:
    if not wanted:
        return []
    settings, units = inputs.settings, task.params.units
    purpose = UnitPurpose(task.layer, units.objective, prior, diversity, _map_layer(task, inputs) if diversity else "")
    spec = RendererSpec(
        model=inputs.patches.model,
        purpose=purpose,
        parameterization=parameterization(settings),
        transform=random_transform(settings),
        regularizers=regularizers(settings),
        cold=cold_config(settings),
        warm=warm_config(settings),
        init_std=settings.init_std,
        batch_size=max(settings.batch_size, units.diverse if diversity else 1),
        seed=task.params.seed,
        device=settings.device,
        dtype=settings.dtype,
        size_setting="units.size",
    )
    cluster = from_environment()
    inputs_of_key: dict[str, Any] = {
        "network": read_description(task.path(MODEL))["identity"],
        "unit": purpose.objective(torch.from_numpy(wanted[0].target)[None]).description,
        "settings": settings.model_dump(mode="json", exclude=NOT_IN_KEY)
        | {
            "size": settings.size,
            "steps": settings.steps,
            "device": torch.device(settings.device).type,
            "threads": cluster.threads or torch.get_num_threads(),
        },
        "batch_size": spec.batch_size,
        "seed": task.params.seed,
        "measure": "units",
    }
    check = partial(check_memory, pool, spec, wanted[0].target, cluster, "units", "pictures")
    renderer = CachedRenderer(cache, pool, spec, spec.batch_size, check)
    return render_pictures(renderer, base_digest(inputs_of_key), wanted, settings.attempts, advance)


def _unit(
    task: Task, inputs: _Inputs, scan: Scan, number: int, clusters: Clusters | None, pictures: Sequence[Picture]
) -> Unit:
    channel, width = inputs.channels[number], output_shape(task.layer, inputs.network).width
    high, low = scan.highest[:, number], scan.lowest[:, number]
    histogram = scan.histogram.only(number)
    found = choose_examples(scan, number, max(1, task.params.units.examples), width)
    return Unit(
        channel=channel,
        name=inputs.network.classes[channel] if task.layer == LOGITS else None,
        high=float(high.max()),
        low=float(low.min()),
        active_images=float((high > 0).mean()),
        active_positions=float(scan.active[number] / scan.positions),
        histogram=histogram,
        examples={kind: found[kind] for kind in KINDS},
        clusters=clusters,
        nearest=nearest_unit(scan.correlations(number, channel), channel),
        pictures=pictures,
    )


def _write(task: Task, inputs: _Inputs, folder: Path, units: Sequence[Unit]) -> None:
    """Write everything that the page shows."""
    folder.mkdir(parents=True)
    photographs = bool(task.params.units.examples)
    patch = inputs.crops.open(inputs.network)
    for unit in units:
        if unit.pictures:
            write_pictures(folder, unit)
        if photographs:
            write_patches(folder / "examples", unit, patch)
    manifest = inputs.manifest

    def names(row: int) -> tuple[str, str | None]:
        return manifest.key[row], label_name(manifest, row, inputs.labels, inputs.network.classes)

    shape = output_shape(task.layer, inputs.network)
    content: Mapping[str, Any] = {
        "layer": task.layer,
        "channels": shape.channels,
        "receptive_field": shape.receptive_field,
        "patch": {"side": inputs.crops.size, "input": inputs.network.preprocessing.crop},
        "images": len(manifest),
        "objective": task.params.units.objective,
        "size": inputs.settings.size,
        "units": [unit_content(unit, names, photographs=photographs) for unit in units],
    }
    (folder / "units.js").write_text(data_script(f"units/{task.layer}", content), encoding="ascii")


def _metrics(units: Sequence[Unit]) -> Mapping[str, Any]:
    shares = [one.activation / unit.high for unit in units for one in unit.pictures if one.role == "high"]
    clarity = [unit.clusters.clarity for unit in units if unit.clusters is not None]
    return {
        "units": len(units),
        "silent": sum(unit.high <= 0 for unit in units),
        "several_clusters": sum(unit.clusters is not None and unit.clusters.count > 1 for unit in units),
        "activation_share": float(np.median(shares)) if shares else None,
        "clarity": float(np.median(clarity)) if clarity else None,
    }


def _summary(units: Sequence[Unit]) -> str:
    found = _metrics(units)
    silent = f", {found['silent']} never active" if found["silent"] else ""
    share = found["activation_share"]
    reached = "" if share is None else f", pictures reach {share:.1f} times the highest activation in the images"
    return f"{counted(len(units), 'unit')}{silent}, {found['several_clusters']} with several clusters{reached}"
