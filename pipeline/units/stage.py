"""Entry of the stage ``units``: images and network in; pictures, examples and figures of single channels out."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config.cluster import from_environment
from pipeline.config.units import SheetName
from pipeline.core.artifacts import UNITS
from pipeline.core.errors import DataError
from pipeline.core.files import atomic
from pipeline.core.layer_names import LOGITS
from pipeline.core.progress import counted, log_line, progress
from pipeline.core.site_data import data_script
from pipeline.featurevis.cache import CACHE, ImageCache
from pipeline.featurevis.exemplar_statistics import StatisticsPrior
from pipeline.images.image_set import open_image_set
from pipeline.images.masks import masks_of
from pipeline.images.thumbnails import label_name
from pipeline.parallel.pool import Pool, open_pool
from pipeline.stages import Task
from pipeline.units.activation_maps import EXCEEDED, activation_maps
from pipeline.units.comparison_sheets import comparison_sheet, interpolation_sheet
from pipeline.units.concepts import Concepts, find_concepts
from pipeline.units.direction_sheets import change_sheet, directions_sheet, rotation_sheet
from pipeline.units.examples import KINDS, Examples, choose_examples
from pipeline.units.figures import Clusters, EmbeddingSpec, cluster_patches, nearest_unit
from pipeline.units.filters import filter_sheets
from pipeline.units.gradient_sheet import gradients_sheet
from pipeline.units.inputs import Inputs, measure_examples, read_inputs, statistics_prior
from pipeline.units.network_sheets import layers_sheet, training_sheet
from pipeline.units.picture_renderer import Engine, PictureRenderer
from pipeline.units.pictures import UnitPurpose, picture_requests
from pipeline.units.report import (
    Picture,
    Unit,
    filters_content,
    unit_content,
    write_filters,
    write_maps,
    write_patches,
    write_pictures,
)
from pipeline.units.scan import Scan, scan_images
from pipeline.units.sheet_context import SheetContext
from pipeline.units.sheets import Sheet, sheet_content, write_sheet

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


def run(task: Task) -> None:
    """Describe the chosen units of one layer.

    Raises:
        ConfigError: the layer has no units to describe, a channel that it does not have is named, or a batch does not
            fit into memory.
        ModelError: there is no such layer, or it has no positions.
        DataError: an activation is not finite, or no picture could be rendered.
    """
    inputs = read_inputs(task)
    log_line(f"units {task.layer}: {counted(len(inputs.channels), 'unit')}, {counted(len(inputs.manifest), 'image')}")
    with (
        open_pool(from_environment()) as pool,
        ImageCache(task.outputs / CACHE) as cache,
        atomic(task.path(UNITS)) as folder,
    ):
        scan = scan_images(pool, inputs.scanner, len(inputs.manifest))
        strongest = [
            choose_examples(scan, unit, inputs.units.compared, inputs.shape.width)["highest"]
            for unit in range(len(inputs.channels))
        ]
        clusters = _clusters(pool, inputs, strongest)
        prior, statistics = statistics_prior(inputs, pool, strongest)
        renderer = PictureRenderer(inputs, pool, cache)
        pictures = _pictures(inputs, renderer, scan, prior, statistics, clusters)
        maps = activation_maps(inputs, pool, inputs.scanner, scan)
        concepts = _concepts(inputs, pool, scan)
        units = [
            _unit(inputs, scan, number, clusters[number], pictures[number], maps[number], concepts)
            for number in range(len(inputs.channels))
        ]
        judge = task.params.as_written.judge
        context = SheetContext(inputs, pool, cache, scan, strongest, prior, statistics, judge, concepts)
        made = [_sheet(context, name) for name in inputs.units.chosen_sheets(task.layer)]
        filters = filter_sheets(inputs.patches.load_network("cpu").module, task.layer)
        _write(inputs, folder, units)
        for sheet in made:
            write_sheet(folder, sheet)
        write_filters(folder, filters)
        named = _concept_figures(concepts, inputs.seed)
        content = {
            **_content(inputs, units),
            "concepts": named,
            "filters": filters_content(filters),
            "sheets": [sheet_content(sheet) for sheet in made],
        }
        (folder / "units.js").write_text(data_script(f"units/{task.layer}", content), encoding="ascii")
    task.write_metrics({**_metrics(units), "concept_iou": named})
    log_line(f"  {_summary(units)} → {task.path(UNITS)}")


def _sheet(context: SheetContext, name: SheetName) -> Sheet:
    log_line(f"  sheet {name}")
    further: Mapping[SheetName, Callable[[SheetContext], Sheet]] = {
        "interpolation": interpolation_sheet,
        "training": training_sheet,
        "layers": layers_sheet,
        "directions": directions_sheet,
        "rotation": rotation_sheet,
        "change": change_sheet,
        "gradients": gradients_sheet,
    }
    return further[name](context) if name in further else comparison_sheet(context, name)


def _clusters(pool: Pool, inputs: Inputs, strongest: Sequence[Examples]) -> list[Clusters | None]:
    """The clusters of each unit's strongest patches; None where there are fewer than two."""
    spec = EmbeddingSpec(inputs.crops, inputs.embedding_layer, inputs.units.device)
    rows = measure_examples(pool, spec, strongest)
    mean = np.concatenate(rows).mean(axis=0, dtype=np.float64).astype(np.float32)
    return [cluster_patches(embedding, mean) if len(embedding) > 1 else None for embedding in rows]


def _pictures(
    inputs: Inputs,
    renderer: PictureRenderer,
    scan: Scan,
    prior: StatisticsPrior | None,
    statistics: Sequence[Floats],
    clusters: Sequence[Clusters | None],
) -> list[list[Picture]]:
    """The pictures of each unit."""
    units, engine = inputs.units, Engine(inputs.settings)
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
    with progress(f"units {inputs.layer}", len(wanted), "picture") as bar:

        def advance(count: int) -> None:
            bar.update(count)

        for diversity in (0.0, units.diversity):
            some = [one for one in wanted if (one[1] == "diverse") == bool(diversity)]
            purpose = UnitPurpose(
                inputs.layer, units.objective, prior, diversity, inputs.map_layer if diversity else ""
            )
            images = renderer.render(purpose, engine, [one for _, _, one in some], advance)
            for (number, role, _), image in zip(some, images, strict=True):
                if image is not None:
                    found[number].append(Picture(role, image.image, image.scores["activation"]))
    if wanted and not any(found):
        raise DataError(
            f"units {inputs.layer}: expected pictures, found that none of {len(wanted)} could be rendered (no "
            "gradient, or numbers that are not finite); choose another layer, or try render.dtype=float32"
        )
    return found


def _concepts(inputs: Inputs, pool: Pool, scan: Scan) -> Concepts | None:
    """How far units and the concepts of the image set overlap; None without masks or maps."""
    scanner = inputs.scanner
    if inputs.layer == LOGITS or masks_of(open_image_set(scanner.images), inputs.manifest) is None:
        return None
    return find_concepts(pool, scanner, scan, inputs.network.preprocessing, len(inputs.manifest), inputs.seed)


def _unit(
    inputs: Inputs,
    scan: Scan,
    number: int,
    clusters: Clusters | None,
    pictures: Sequence[Picture],
    maps: Sequence[Pixels],
    concepts: Concepts | None,
) -> Unit:
    channel = inputs.channels[number]
    high, low = scan.highest[:, number], scan.lowest[:, number]
    found = choose_examples(scan, number, max(1, inputs.units.examples), inputs.shape.width)
    return Unit(
        channel=channel,
        name=inputs.network.classes[channel] if inputs.layer == LOGITS else None,
        high=float(high.max()),
        low=float(low.min()),
        active_images=float((high > 0).mean()),
        active_positions=float(scan.active[number] / scan.positions),
        histogram=scan.histogram.only(number),
        examples={kind: found[kind] for kind in KINDS},
        clusters=clusters,
        nearest=nearest_unit(scan.correlations(number, channel), channel),
        pictures=pictures,
        threshold=float(scan.exceeded_at(EXCEEDED)[number]) if maps else None,
        maps=maps,
        concept=None if concepts is None else concepts.units.best(number),
    )


def _write(inputs: Inputs, folder: Path, units: Sequence[Unit]) -> None:
    """Write the pictures and the patches that the page shows."""
    folder.mkdir(parents=True)
    patch = inputs.crops.open(inputs.network)
    for unit in units:
        if unit.pictures:
            write_pictures(folder, unit)
        if inputs.units.examples:
            write_patches(folder / "examples", unit, patch)
        if unit.maps:
            write_maps(folder / "maps", unit)


def _content(inputs: Inputs, units: Sequence[Unit]) -> Mapping[str, Any]:
    """What the page says about the units."""
    manifest, shape = inputs.manifest, inputs.shape

    def names(row: int) -> tuple[str, str | None]:
        return manifest.key[row], label_name(manifest, row, inputs.labels, inputs.network.classes)

    photographs = bool(inputs.units.examples)
    return {
        "layer": inputs.layer,
        "channels": shape.channels,
        "receptive_field": shape.receptive_field,
        "patch": {"side": inputs.crops.size, "input": inputs.network.preprocessing.crop},
        "images": len(manifest),
        "objective": inputs.units.objective,
        "size": inputs.settings.size,
        "units": [unit_content(unit, names, photographs=photographs) for unit in units],
    }


def _concept_figures(concepts: Concepts | None, seed: int) -> Mapping[str, Any] | None:
    """Mean overlap of the units, and of the axes of a random rotation, with the concept nearest to each."""
    if concepts is None:
        return None
    found = {"units": concepts.units.mean_best(seed), "rotated": concepts.rotated.mean_best(seed)}
    return {name: {end: round(getattr(one, end), 4) for end in ("value", "low", "high")} for name, one in found.items()}


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
