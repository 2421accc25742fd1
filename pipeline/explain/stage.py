"""Entry of the stage ``explain``: images and network in; heat maps, their tests and a page's content out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.config.cluster import from_environment
from pipeline.config.explain import ExplainSettings
from pipeline.core.artifacts import EXPLAIN, GRID, HEATMAPS, IMAGES, MODEL
from pipeline.core.atlas_icons import AtlasIcons, read_atlas_icons
from pipeline.core.bootstrap import Interval
from pipeline.core.code_dependencies import stage_digest
from pipeline.core.errors import ConfigError
from pipeline.core.files import atomic, identity
from pipeline.core.layer_names import LOGITS
from pipeline.core.progress import counted, log_line
from pipeline.core.resumable import TaskResults, work_folder
from pipeline.core.zarr_store import array, artifact_identity, create, open_artifact, write_array
from pipeline.explain.activation_grid import ActivationGrid, locate_positions
from pipeline.explain.class_activation import CamHead, deepest_map, fitted_head, leads_to, own_head
from pipeline.explain.heatmaps import Column, columns
from pipeline.explain.neighbors import label_agreement, last_layer, nearest
from pipeline.explain.pointing import choose_mosaics, takes_full_size
from pipeline.explain.randomization import step_modules
from pipeline.explain.region_search import Query, best_matches, box_mean, unit_rows
from pipeline.explain.relu_rules import count_relus
from pipeline.explain.report import Fooling, Neighbors, Regions, Report, write_report
from pipeline.explain.scan import Scan
from pipeline.explain.scores import Scores
from pipeline.explain.verdict import CONTROLS, Figures, Resampling, column_intervals
from pipeline.explain.worker import Rows, Worker, WorkerSpec
from pipeline.images.choice import chosen_images
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import Manifest, read_manifest, spread_evenly
from pipeline.images.thumbnails import label_name
from pipeline.model.convention import noise
from pipeline.model.description import read_description
from pipeline.model.layers import require_layer
from pipeline.model.network import Network, load_network
from pipeline.parallel.pool import open_pool
from pipeline.parallel.tasks import Arrays, Tasks, joined
from pipeline.stages import Task

ROWS_PER_TASK, IMAGES_PER_TASK, MOSAICS_PER_TASK = 4, 64, 1
MATCHES = 12  # images that are shown for a box
CANDIDATES = 4  # for each image of a mosaic

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class _Inputs:
    """What the stage works on."""

    task: Task
    settings: ExplainSettings
    manifest: Manifest
    network: Network
    identity: str
    images: Sequence[int]
    columns: Sequence[Column]

    @property
    def of_classes(self) -> bool:
        return self.task.layer == LOGITS

    @property
    def seed(self) -> int:
        return self.task.params.seed

    def spec(self, head: CamHead | None = None, mean_layer: str = "") -> WorkerSpec:
        """Of the workers."""
        task = self.task
        return WorkerSpec(
            model=task.path(MODEL).absolute(),
            manifest=task.path(IMAGES).absolute(),
            images=task.params.as_written.images,
            layer=task.layer,
            columns=self.columns,
            settings=self.settings,
            seed=self.seed,
            head=head,
            mean_layer=mean_layer,
        )


def run(task: Task) -> None:
    """Explain the chosen images by the units of one layer, or by classes.

    Raises:
        ConfigError: an image, class, layer or channel is named that there is not.
        ModelError: a method is named that the network does not allow.
        DataError: a heat map is not finite.
    """
    inputs = _read_inputs(task)
    log_line(f"explain {task.layer}: {counted(len(inputs.images), 'image')}, {counted(len(inputs.columns), 'method')}")
    # stays after the commit: icons that are rendered anew cost no heat map
    work = work_folder(task.outputs, task.path(EXPLAIN))
    results = TaskResults(work.absolute(), _results_key(inputs))
    with open_pool(from_environment()) as pool:
        report = _explain(inputs, Tasks(pool, results, f"explain {task.layer}"))
    with atomic(task.path(EXPLAIN)) as folder:
        write_report(folder, report)
    _write_heatmaps(inputs, report)
    task.write_metrics(report.metrics())
    log_line(f"  {report.summary()} → {task.path(EXPLAIN)}")


def _read_inputs(task: Task) -> _Inputs:
    settings = task.params.explain
    network = load_network(task.path(MODEL), settings.device)
    manifest = read_manifest(task.path(IMAGES))
    layers = list(settings.layers or task.params.layers)
    for layer in layers:
        require_layer(layer, network.layers)
    scores = Scores(network, task.layer)
    images = noise(network.preprocessing.crop, 1).to(settings.device)
    if not scores.of_classes:
        layers = [layer for layer in layers if leads_to(scores, layer, images)]
    relus = count_relus(lambda some: scores.every(some)[:, 0], images) > 0
    found = columns(settings, layers, of_classes=scores.of_classes, relus=relus)
    if settings.methods == "all" and not relus:
        log_line("explain: the network has no ReLUs; without guided backpropagation and deconvolution")
    if not found:
        raise ConfigError(
            f"explain.methods: expected a method for the units of {task.layer}, found methods of classes alone; name "
            "others"
        )
    return _Inputs(
        task=task,
        settings=settings,
        manifest=manifest,
        network=network,
        identity=str(read_description(task.path(MODEL))["identity"]),
        images=chosen_images(settings.images, manifest, "explain.images"),
        columns=found,
    )


def _results_key(inputs: _Inputs) -> str:
    """Digest of everything that the results of tasks depend on."""
    settings = inputs.settings.model_dump(mode="json", exclude={"resamples", "photographs"})
    task = inputs.task
    made_from = [inputs.manifest.identity, inputs.identity]
    if inputs.of_classes and inputs.settings.regions:  # the search subtracts the mean in the grid
        made_from.append(artifact_identity(open_artifact(GRID, task.path(GRID, task.params.layers[-1], "all"))))
    return identity([task.layer, inputs.seed, list(task.params.layers), settings, *made_from, stage_digest("explain")])


def _explain(inputs: _Inputs, tasks: Tasks) -> Report:
    scan = _scan(inputs, tasks) if inputs.of_classes else None
    head = _head(inputs, scan)
    spec = inputs.spec(head)
    rows = _rows(inputs, scan)
    parts = _parts(rows, ROWS_PER_TASK)
    found = joined(tasks.run("heatmaps", spec, Worker.explain, parts, "row", [len(part) for part in parts]))
    figures = _figures(inputs, rows, found)
    resampling = Resampling(figures.image, inputs.settings.resamples, inputs.seed)
    names = [f"{number}" for number in range(len(inputs.columns))]
    intervals = {name: column_intervals(figures, resampling, name) for name in (*names, *CONTROLS)}
    full_size = takes_full_size(inputs.network, [column.layer for column in inputs.columns if column.layer])
    mosaics, pointing = _mosaics(inputs, tasks, replace(spec, full_size=full_size), scan)
    for name, interval in pointing.items():
        intervals[name]["grid_pointing"] = interval
    steps, similarity = _randomization(inputs, tasks, spec, rows)
    classes = inputs.network.classes
    labels = open_image_set(inputs.task.params.images).classes
    atlases = _atlases(inputs)
    return Report(
        layer=inputs.task.layer,
        settings=inputs.settings,
        seed=inputs.seed,
        side=inputs.network.preprocessing.crop,
        columns=inputs.columns,
        rows=rows,
        found=found,
        figures=figures,
        intervals=intervals,
        head=head,
        mosaics=mosaics,
        full_size=full_size,
        steps=steps,
        similarity=similarity,
        neighbors=_neighbors(inputs, scan),
        in_atlas=_in_atlas(inputs, tasks, spec, atlases),
        regions=_regions(inputs, tasks, spec),
        fooling=_fooling(inputs, tasks, spec, scan, atlases),
        image_count=len(inputs.manifest),
        crop=spec().crop,
        key=lambda row: inputs.manifest.key[row],
        label=lambda row: label_name(inputs.manifest, row, labels, classes),
        class_name=lambda unit: classes[unit] if inputs.of_classes else None,
    )


def _parts(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _scan(inputs: _Inputs, tasks: Tasks) -> Scan:
    """Pass over the compared images, those that are explained among them."""
    compared = spread_evenly(range(len(inputs.manifest)), inputs.settings.compared)
    rows = sorted({*compared, *inputs.images})
    fitted = "cam" in {column.method for column in inputs.columns} and own_head(inputs.network) is None
    spec = inputs.spec(mean_layer=deepest_map(inputs.network) if fitted else "")
    parts = _parts(rows, IMAGES_PER_TASK)
    found = joined(tasks.run("images", spec, Worker.scan, parts, "image", [len(part) for part in parts]))
    return Scan(rows=rows, **found)


def _head(inputs: _Inputs, scan: Scan | None) -> CamHead | None:
    """The head for class activation maps, where they are asked for."""
    if scan is None or "cam" not in {column.method for column in inputs.columns}:
        return None
    own = own_head(inputs.network)
    if own is not None:
        return own
    label = inputs.manifest.class_[list(scan.rows)]
    head = fitted_head(
        deepest_map(inputs.network), torch.from_numpy(scan.means), torch.from_numpy(scan.logits), label.tolist()
    )
    log_line(
        f"explain: the network does not end with a mean and a linear head; one is fitted to the mean of {head.layer}, "
        f"which predicts the network's class for {head.agreement:.1%} of other images"
    )
    return replace(head, weight=head.weight.to(inputs.settings.device))


def _rows(inputs: _Inputs, scan: Scan | None) -> Rows:
    """The images with the units that are explained, image after image."""
    settings, images = inputs.settings, inputs.images
    if scan is None:
        return [(image, unit) for image in images for unit in settings.units[inputs.task.layer]]
    chosen = settings.chosen_classes(inputs.network.classes)
    if chosen is not None:
        return [(image, unit) for image in images for unit in chosen]
    predicted = dict(zip(scan.rows, scan.predicted.tolist(), strict=True))
    if settings.classes == "predicted":
        return [(image, predicted[image]) for image in images]
    found = [(image, int(inputs.manifest.class_[image])) for image in images if inputs.manifest.class_[image] >= 0]
    if not found:
        raise ConfigError(
            "explain.classes: expected labels that are classes of the network, found none; use "
            "explain.classes=predicted"
        )
    return found


def _figures(inputs: _Inputs, rows: Rows, found: Arrays) -> Figures:
    names = [*(f"{number}" for number in range(len(inputs.columns))), *CONTROLS]

    def of(kind: str) -> dict[str, NDArray[np.float64]]:
        return {name: found[f"{kind}-{name}"] for name in names if f"{kind}-{name}" in found}

    return Figures(
        image=np.array([image for image, _ in rows], np.int64),
        deletion=of("deletion"),
        insertion=of("insertion"),
        hit=of("hit"),
        iou=of("iou"),
        constant={name: found[f"constant-{name}"] for name in names if f"constant-{name}" in found},
    )


def _mosaics(
    inputs: _Inputs, tasks: Tasks, spec: WorkerSpec, scan: Scan | None
) -> tuple[int | str | None, Mapping[str, Interval]]:
    """How many mosaics there are, or why none; and each column's share of heat in the right quarter."""
    count = inputs.settings.mosaics
    if scan is None or not count:
        return None, {}
    order = np.argsort(-scan.confidence, kind="stable")[: 4 * CANDIDATES * count]
    chosen = choose_mosaics(scan.predicted[order], count, inputs.seed)
    if isinstance(chosen, str):
        return chosen, {}
    images, predicted = np.array(scan.rows)[order], scan.predicted[order]
    mosaics = [[(int(images[one]), int(predicted[one])) for one in group] for group in chosen]
    parts = _parts(mosaics, MOSAICS_PER_TASK)
    found = joined(tasks.run("mosaics", spec, Worker.point_in_mosaics, parts, "mosaic", [len(part) for part in parts]))
    resampling = Resampling(np.arange(len(mosaics)), inputs.settings.resamples, inputs.seed)
    return len(mosaics), {name: resampling.mean(_known_mean(shares)) for name, shares in found.items()}


def _known_mean(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each row [mosaic, quarter] without values that are NaN; NaN where all are."""
    known = np.isfinite(shares)
    total = np.where(known, shares, 0).sum(axis=1)
    return np.asarray(np.divide(total, known.sum(axis=1), out=np.full(len(shares), np.nan), where=known.any(axis=1)))


def _randomization(
    inputs: _Inputs, tasks: Tasks, spec: WorkerSpec, rows: Rows
) -> tuple[Sequence[str], Mapping[str, Sequence[Interval]]]:
    """Steps of the cascading randomization, and each column's similarity to its own maps after each."""
    some = list(spread_evenly(rows, inputs.settings.randomized_images)) if inputs.settings.randomized_images else []
    steps = step_modules(inputs.network, inputs.settings.randomized_steps, inputs.task.layer) if some else []
    items = [(step, some) for step in range(len(steps))]
    found = tasks.run("randomization", spec, Worker.randomize, items, "step")
    resampling = Resampling(np.array([image for image, _ in some]), inputs.settings.resamples, inputs.seed)
    names = [f"{number}" for number in range(len(inputs.columns))]
    return [one[-1] or inputs.network.name for one in steps], {
        name: [resampling.mean(part[name]) for part in found] for name in names if found
    }


def _neighbors(inputs: _Inputs, scan: Scan | None) -> Neighbors | None:
    """The nearest images of those that are explained."""
    count = inputs.settings.neighbors
    if scan is None or not count or not inputs.settings.photographs:
        return None
    rows, place = np.array(scan.rows), {row: number for number, row in enumerate(scan.rows)}
    queries = [place[image] for image in inputs.images]
    spaces = {"pixels": scan.pixels, "features": scan.features}
    found = {name: nearest(values, queries, count)[0] for name, values in spaces.items()}
    label = inputs.manifest.label[rows]
    every = np.arange(len(rows))
    resampling = Resampling(every, inputs.settings.resamples, inputs.seed)
    agreement = {
        name: resampling.mean(label_agreement(every, nearest(values, every, count)[0], label))
        for name, values in spaces.items()
    }
    last = last_layer(inputs.network)
    feature = f"the input of {last.name}" if last.kind == "input" else f"the mean over the positions of {last.name}"
    return Neighbors(count, feature, {name: rows[one] for name, one in found.items()}, inputs.images, agreement)


def _atlases(inputs: _Inputs) -> list[AtlasIcons]:
    """The icons of the atlas of each layer that has any; none where units are explained."""
    if not inputs.of_classes:
        return []
    found = [read_atlas_icons(inputs.task.outputs, layer) for layer in inputs.task.params.layers]
    return [one for one in found if one is not None]


def _in_atlas(
    inputs: _Inputs, tasks: Tasks, spec: WorkerSpec, atlases: Sequence[AtlasIcons]
) -> Sequence[tuple[AtlasIcons, Mapping[int, ActivationGrid]]]:
    """Where the positions of the images fall in the atlas of each layer, by the image's row."""
    if not atlases:
        return []
    layers = [atlas.layer for atlas in atlases]
    items = [(layers, part) for part in _parts(inputs.images, ROWS_PER_TASK)]
    found = joined(tasks.run("maps", spec, Worker.maps, items, "image", [len(part) for _, part in items]))
    return [
        (
            atlas,
            {image: locate_positions(atlas, found[f"{number}"][place]) for place, image in enumerate(inputs.images)},
        )
        for number, atlas in enumerate(atlases)
    ]


def _regions(inputs: _Inputs, tasks: Tasks, spec: WorkerSpec) -> Regions | None:
    """The images and the cell that are most like each box, at the last layer of the atlas."""
    settings, layer = inputs.settings, inputs.task.params.layers[-1]
    if not settings.regions or not inputs.of_classes or not settings.photographs:
        return None
    images = chosen_images(tuple(settings.regions), inputs.manifest, "explain.regions")
    found = joined(tasks.run("boxes", spec, Worker.maps, [([layer], [image]) for image in images], "box"))["0"]
    queries = [
        Query(image, box, box_mean(grid, box))
        for image, box, grid in zip(images, settings.regions.values(), found, strict=True)
    ]
    grid = open_artifact(GRID, GRID.path(inputs.task.outputs, layer, "all"))
    center = np.asarray(array(grid, "mean")[...])
    directions = unit_rows(np.stack([query.activation for query in queries]) - center)
    rows = list(spread_evenly(range(len(inputs.manifest)), settings.compared))
    items = [(layer, directions, center, part) for part in _parts(rows, IMAGES_PER_TASK)]
    matched = joined(tasks.run("regions", spec, Worker.search, items, "image", [len(part) for *_, part in items]))
    matches = [
        best_matches(query, rows, matched["similarity"][:, number], matched["position"][:, number], MATCHES)
        for number, query in enumerate(queries)
    ]
    return Regions(layer, inputs.network.layers[layer], queries, matches, read_atlas_icons(inputs.task.outputs, layer))


def _fooling(
    inputs: _Inputs, tasks: Tasks, spec: WorkerSpec, scan: Scan | None, atlases: Sequence[AtlasIcons]
) -> Fooling | None:
    """Small changes of each image to another class."""
    settings, classes = inputs.settings, len(inputs.network.classes)
    if scan is None or not settings.fooling or classes < 2 or not settings.photographs:
        return None
    target = settings.chosen_target(inputs.network.classes)
    predicted = dict(zip(scan.rows, scan.predicted.tolist(), strict=True))
    some = [(image, predicted[image]) for image in inputs.images]
    pairs = [(row, _other_class(row, target, classes, inputs.seed)) for row in some]
    pairs = [(row, other) for row, other in pairs if other != row[1]]
    items = [([row], [other]) for row, other in pairs]
    found = joined(tasks.run("fooling", spec, Worker.fool, items, "image"))
    if not pairs:
        return None
    layers = [atlas.layer for atlas in atlases]
    starts = range(0, len(pairs), ROWS_PER_TASK) if layers else ()
    changed = [(layers, found["linf-levels"][start : start + ROWS_PER_TASK]) for start in starts]
    maps = joined(tasks.run("changed", spec, Worker.maps_of_pixels, changed, "image", [len(one) for _, one in changed]))
    moved = [
        (atlas, [locate_positions(atlas, grid) for grid in maps[f"{number}"]]) for number, atlas in enumerate(atlases)
    ]
    return Fooling([row for row, _ in pairs], [other for _, other in pairs], found, moved)


def _other_class(row: tuple[int, int], target: int | None, classes: int, seed: int) -> int:
    """The class that an image is changed to: the given one, or one that is drawn among the others."""
    if target is not None:
        return target
    image, own = row
    return (own + 1 + int(np.random.default_rng([seed, image]).integers(classes - 1))) % classes


def _write_heatmaps(inputs: _Inputs, report: Report) -> None:
    """The heat maps in numbers."""
    task = inputs.task
    made_from = {IMAGES.name: inputs.manifest.identity, MODEL.name: inputs.identity}
    with create(HEATMAPS, task.path(HEATMAPS), task.settings(), made_from) as group:
        write_array(group, HEATMAPS, "image", np.array([image for image, _ in report.rows], np.int64))
        write_array(group, HEATMAPS, "unit", np.array([unit for _, unit in report.rows], np.int64))
        for number, column in enumerate(inputs.columns):
            write_array(group.create_group(column.name), HEATMAPS, "heatmap", report.found[f"heat-{number}"])
