"""The stage ``reduce``: from the activations of a layer to a layout of its samples."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.core import artifacts as a
from pipeline.core import store
from pipeline.core.atlases import parse_atlas
from pipeline.core.errors import DataError
from pipeline.core.progress import say
from pipeline.core.statistics import layer_statistics, row_blocks
from pipeline.reduce import pca, tsne, umap
from pipeline.reduce.choose import Chosen, chosen_samples
from pipeline.reduce.compare import across
from pipeline.reduce.config import ReduceSettings
from pipeline.reduce.distinct import distinct_rows
from pipeline.reduce.framed import framed
from pipeline.reduce.measures import filled
from pipeline.reduce.quality import Points, quality
from pipeline.stages import Task

Layout = Callable[[NDArray[np.float32], ReduceSettings, int, int], NDArray[np.float64]]
METHODS: Mapping[str, Layout] = {"umap": umap.layout, "tsne": tsne.layout, "pca": pca.layout}

# samples without a direction lie here, in the empty corner of the margin, apart from all others: bottom left
ZERO_PLACE = (0.0, 1.0)
PLOT_POINTS = 3000


def run(task: Task) -> None:
    """Choose the samples of the atlas and lay them out in the unit square.

    Raises:
        DataError: the activations are not finite, all zero, or too few of them differ; or a class has too few.
    """
    settings = task.params.reduce
    activations = store.open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS))
    chosen = chosen_samples(task, activations)
    values = store.read_rows(store.array(activations, "activation"), chosen.sample).astype(np.float32, copy=False)
    image = np.asarray(store.array(activations, "image")[...])[chosen.sample]
    placed = _directed(values, settings, task.layer)
    say(f"reduce {task.layer}/{task.atlas}: {settings.method} of {len(placed)} samples × {values.shape[1]} channels")

    distinct = distinct_rows(values[placed])
    _check_count(len(distinct.first), settings, task.layer)
    dimensions = 2 if chosen.difference is None else 1
    points = METHODS[settings.method](values[placed[distinct.first]], settings, task.params.seed, dimensions)
    reference, reference_identity = _reference(task, chosen.sample)
    xy = np.full((len(values), 2), ZERO_PLACE, np.float32)
    xy[placed, 2 - dimensions :], outside = framed(points, distinct, reference[placed], settings)
    made_from = {"activations": store.artifact_identity(activations), "reference": reference_identity}
    _store(task, chosen, xy, made_from)
    label = _labels(task)[image]
    directed = Points(values[placed], xy[placed], image[placed], label[placed])
    counts = {"points": len(values), "distinct": len(distinct.first), "zero": len(values) - len(placed)}
    shares = {"outliers": float(outside.mean()), "filled": filled(xy)}
    measured = quality(directed, settings.metric, settings.metric_points, task.params.seed)
    _report(task, {**counts, **shares, **measured}, xy, label)


def _store(task: Task, chosen: Chosen, xy: NDArray[np.float32], made_from: Mapping[str, str]) -> None:
    """Write the layout; the samples of a comparison are first put across it, by its axis."""
    with store.create(a.LAYOUT, task.path(a.LAYOUT), task.settings(), made_from) as group:
        if chosen.difference is not None:
            xy[:, 0], group.attrs["axis"] = _axis(task, chosen.difference)
        store.write_array(group, a.LAYOUT, "sample", chosen.sample)
        store.write_array(group, a.LAYOUT, "xy", xy)


def _directed(values: NDArray[np.float32], settings: ReduceSettings, layer: str) -> NDArray[np.int64]:
    """Rows that the metric can place: all of them, or under cosine those that are not all zero."""
    bad = len(values) - int(np.isfinite(values).all(axis=1).sum())
    if bad:
        raise _not_finite(layer, f"{bad} of {len(values)}")
    nonzero = values.any(axis=1)
    if not nonzero.any():
        raise DataError(f"layer {layer}: expected activations, found zeros only; choose another layer")
    return np.flatnonzero(nonzero) if settings.metric == "cosine" else np.arange(len(values))


def _not_finite(layer: str, found: str) -> DataError:
    return DataError(
        f"layer {layer}: expected finite activations, found {found} samples that are not; "
        "check the weights, or use sample.dtype=float32"
    )


def _check_count(found: int, settings: ReduceSettings, layer: str) -> None:
    if found < settings.needed_points:
        option = "reduce.perplexity" if settings.method == "tsne" else "reduce.neighbours"
        advice = "" if settings.method == "pca" else f", or lower {option}"
        raise DataError(
            f"layer {layer}: {settings.method} needs at least {settings.needed_points} different activations, found "
            f"{found}; use more images or sample.positions_per_image{advice}"
        )


def _axis(task: Task, difference: NDArray[np.float32]) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Where the samples of a comparison lie across it, and what the layout keeps of that axis."""
    x, axis = across(difference)
    left, right = parse_atlas(task.atlas).classes
    return x, {"left": left, "right": right, "scale": axis.scale, "clipped": axis.clipped}


def _reference(task: Task, sample: NDArray[np.int64]) -> tuple[NDArray[np.float64], str]:
    """Where samples lie in the plane that all layouts are turned to, and the identity of its activations."""
    layer = task.params.layers[-1]
    group = store.open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS, layer=layer))
    array = store.array(group, "activation")
    moments = layer_statistics(array)
    if not np.isfinite(moments.mean).all():
        raise _not_finite(layer, "some")
    plane = pca.principal_plane(moments)
    everywhere = np.concatenate([pca.project(block, plane) for _, block in row_blocks(array)])
    return everywhere[sample], store.artifact_identity(group)


def _labels(task: Task) -> NDArray[np.int64]:
    """The label of each image, -1 where it has none."""
    column = pq.read_table(task.path(a.IMAGES), columns=["label"]).column("label")
    return np.asarray(column.fill_null(-1).to_numpy(), dtype=np.int64)


def _report(task: Task, metrics: Mapping[str, Any], xy: NDArray[np.float32], label: NDArray[np.int64]) -> None:
    task.write_metrics(metrics)
    some = np.sort(np.random.default_rng(task.params.seed).permutation(len(xy))[:PLOT_POINTS])
    x, y = xy[some].astype(np.float64).round(4).T
    task.write_plot({"x": x.tolist(), "y": y.tolist(), "label": label[some].tolist()})
    known = {name: "unknown" if value is None else f"{value:.3f}" for name, value in metrics.items()}
    say(
        f"reduce {task.layer}/{task.atlas}: {metrics['points']} points ({metrics['distinct']} different, "
        f"{metrics['zero']} zero), {metrics['outliers']:.1%} outliers, {metrics['filled']:.0%} of a 20-level grid "
        f"filled; trustworthiness {known['trustworthiness_10']} (k 10), {known['trustworthiness_50']} (k 50); "
        f"continuity {known['continuity_10']}, {known['continuity_50']}; label hits {known['label_hits']} "
        f"(activations: {known['label_hits_activations']})"
    )
