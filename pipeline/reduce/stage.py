"""The stage ``reduce``: from the activations of a layer to a layout of its samples."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config.reduce import ReduceSettings
from pipeline.core import artifacts as a
from pipeline.core import zarr_store as store
from pipeline.core.atlas_names import parse_atlas
from pipeline.core.errors import DataError
from pipeline.core.moments import layer_statistics, row_blocks
from pipeline.core.progress import log_line
from pipeline.core.steady import steady
from pipeline.images.manifest import read_manifest
from pipeline.reduce import pca
from pipeline.reduce.choose import Chosen, chosen_samples
from pipeline.reduce.compare import across
from pipeline.reduce.distinct import grouped
from pipeline.reduce.engine import check_engine
from pipeline.reduce.framed import framed
from pipeline.reduce.laid import lay_out
from pipeline.reduce.measures import filled
from pipeline.reduce.quality import Points, quality
from pipeline.reduce.rows import Rows
from pipeline.reduce.survey import Survey, survey
from pipeline.stages import Task

# samples without a direction lie here, in the empty corner of the margin, apart from all others: bottom left
ZERO_PLACE = (0.0, 1.0)
PLOT_POINTS = 3000


def run(task: Task) -> None:
    """Choose the samples of the atlas and lay them out in the unit square.

    Raises:
        DataError: the activations are not finite, all zero, or too few of them differ; or a class has too few.
    """
    settings = task.params.reduce
    check_engine(settings)
    activations = store.open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS))
    chosen = chosen_samples(task, activations)
    rows = Rows(store.array(activations, "activation"), chosen.sample)
    image = np.asarray(store.array(activations, "image")[...])[chosen.sample]
    seen = survey(rows)
    placed = _directed(seen, settings, task.layer)
    log_line(f"reduce {task.layer}/{task.atlas}: {settings.method} of {len(placed)} samples × {rows.channels} channels")

    distinct = grouped(seen.hashes[placed])
    _check_count(len(distinct.first), settings, task.layer)
    dimensions = 2 if chosen.difference is None else 1
    laid = lay_out(rows.at(placed[distinct.first]), settings, task.params.seed, dimensions)
    reference, reference_identity = _reference(task, chosen.sample)
    xy = np.full((len(rows), 2), ZERO_PLACE, np.float32)
    xy[placed, 2 - dimensions :], outside = framed(laid.places, distinct, reference[placed], settings)
    made_from = {"activations": store.artifact_identity(activations), "reference": reference_identity}
    _store(task, chosen, xy, made_from)
    label = _labels(task)[image]
    landmark = laid.landmark[distinct.inverse]
    groups = {} if landmark.all() else {"landmarks": landmark, "placed": ~landmark}
    directed = Points(rows.at(placed), xy[placed], image[placed], label[placed], groups)
    counts = {"points": len(rows), "distinct": len(distinct.first), "zero": len(rows) - len(placed)}
    shares = {"landmarks": int(laid.landmark.sum()), "outliers": float(outside.mean()), "filled": filled(xy)}
    measured = quality(directed, settings.metric, settings.metric_points, task.params.seed)
    _report(task, {**counts, **shares, **measured}, xy, label)


def _store(task: Task, chosen: Chosen, xy: NDArray[np.float32], made_from: Mapping[str, str]) -> None:
    """Write the layout; the samples of a comparison are first put across it, by its axis."""
    with store.create(a.LAYOUT, task.path(a.LAYOUT), task.settings(), made_from) as group:
        if chosen.difference is not None:
            xy[:, 0], group.attrs["axis"] = _axis(task, chosen.difference)
        store.write_array(group, a.LAYOUT, "sample", chosen.sample)
        store.write_array(group, a.LAYOUT, "xy", xy)


def _directed(seen: Survey, settings: ReduceSettings, layer: str) -> NDArray[np.int64]:
    """Rows that the metric can place: all of them, or under cosine those that are not all zero."""
    bad = len(seen.finite) - int(seen.finite.sum())
    if bad:
        raise _not_finite(layer, f"{bad} of {len(seen.finite)}")
    if not seen.nonzero.any():
        raise DataError(f"layer {layer}: expected activations, found zeros only; choose another layer")
    return np.flatnonzero(seen.nonzero) if settings.metric == "cosine" else np.arange(len(seen.nonzero))


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
    with steady():
        moments = layer_statistics(array)
        if not np.isfinite(moments.mean).all():
            raise _not_finite(layer, "some")
        plane = pca.principal_plane(moments)
        everywhere = np.concatenate([pca.project(block, plane) for _, block in row_blocks(array)])
    return everywhere[sample], store.artifact_identity(group)


def _labels(task: Task) -> NDArray[np.int64]:
    """The label of each image, -1 where it has none."""
    return read_manifest(task.path(a.IMAGES)).label


def _report(task: Task, metrics: Mapping[str, Any], xy: NDArray[np.float32], label: NDArray[np.int64]) -> None:
    task.write_metrics(metrics)
    some = np.sort(np.random.default_rng(task.params.seed).permutation(len(xy))[:PLOT_POINTS])
    x, y = xy[some].astype(np.float64).round(4).T
    task.write_plot({"x": x.tolist(), "y": y.tolist(), "label": label[some].tolist()})
    known = {name: "unknown" if value is None else f"{value:.3f}" for name, value in metrics.items()}
    log_line(
        f"reduce {task.layer}/{task.atlas}: {metrics['points']} points ({metrics['distinct']} different, "
        f"{metrics['zero']} zero), {metrics['outliers']:.1%} outliers, {metrics['filled']:.0%} of a 20-level grid "
        f"filled; trustworthiness {known['trustworthiness_10']} (k 10), {known['trustworthiness_50']} (k 50); "
        f"continuity {known['continuity_10']}, {known['continuity_50']}; label hits {known['label_hits']} "
        f"(activations: {known['label_hits_activations']}){_apart(metrics, known)}"
    )


def _apart(metrics: Mapping[str, Any], known: Mapping[str, str]) -> str:
    """What is said of landmarks and of placed points, where there are both."""
    if "trustworthiness_10_placed" not in metrics:
        return ""
    names = [f"{measure}_{k}" for measure in ("trustworthiness", "continuity") for k in (10, 50)]
    each = [f"{group} {', '.join(known[f'{name}_{group}'] for name in names)}" for group in ("landmarks", "placed")]
    return f"; {metrics['landmarks']} landmarks laid out, the rest placed among them: {'; '.join(each)}"
