"""The stage ``reduce``: from the activations of a layer to a layout of an atlas's samples."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config.reduce import ReduceSettings
from pipeline.core import artifacts as a
from pipeline.core import zarr_store
from pipeline.core.atlas_names import parse_atlas
from pipeline.core.errors import DataError
from pipeline.core.moments import layer_statistics, row_blocks
from pipeline.core.progress import counted, log_line
from pipeline.images.manifest import read_manifest
from pipeline.parallel.process import single_threaded_blas
from pipeline.reduce import pca
from pipeline.reduce.external_engines import check_engine
from pipeline.reduce.layout import compute_layout
from pipeline.reduce.postprocess import comparison_axis, postprocess
from pipeline.reduce.quality import LayoutSamples, measure_quality, occupied_share
from pipeline.reduce.rows import Rows, RowScan, distinct_rows, scan_rows
from pipeline.reduce.selection import AtlasSamples, select_samples
from pipeline.stages import Task

# all-zero samples have no direction; they lie in the empty corner of the margin at the bottom left, apart from all
ZERO_XY = (0.0, 1.0)
PLOT_POINTS = 3000


def run(task: Task) -> None:
    """Select the samples of the atlas and lay them out in the unit square.

    Raises:
        ConfigError: the engine is not installed.
        DataError: activations are not finite, all zero, or too few of them are distinct; or a class has too few.
    """
    settings = task.params.reduce
    check_engine(settings)
    activations = zarr_store.open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS))
    samples = select_samples(task, activations)
    rows = Rows(zarr_store.array(activations, "activation"), samples.sample)
    image = np.asarray(zarr_store.array(activations, "image")[...])[samples.sample]
    scan = scan_rows(rows)
    usable = _usable_rows(scan, settings, task.layer)
    size = f"{counted(len(usable), 'sample')} × {counted(rows.channels, 'channel')}"
    log_line(f"reduce {task.layer}/{task.atlas}: {settings.method} of {size}")

    distinct = distinct_rows(scan.hashes[usable])
    _check_count(len(distinct.first), settings, task.layer)
    dimensions = 2 if samples.difference is None else 1
    layout = compute_layout(rows.take(usable[distinct.first]), settings, task.params.seed, dimensions)
    reference, reference_identity = _reference(task, samples.sample)
    xy = np.full((len(rows), 2), ZERO_XY, np.float32)
    xy[usable, 2 - dimensions :], outside = postprocess(layout.coordinates, distinct, reference[usable], settings)
    made_from = {"activations": zarr_store.artifact_identity(activations), "reference": reference_identity}
    _store(task, samples, xy, made_from)
    label = _labels(task)[image]
    is_landmark = layout.is_landmark[distinct.inverse]
    groups = {} if is_landmark.all() else {"landmarks": is_landmark, "placed": ~is_landmark}
    measured = LayoutSamples(rows.take(usable), xy[usable], image[usable], label[usable], groups)
    counts = {"points": len(rows), "distinct": len(distinct.first), "zero": len(rows) - len(usable)}
    shares = {
        "landmarks": int(layout.is_landmark.sum()),
        "outliers": float(outside.mean()),
        "filled": occupied_share(xy),
    }
    quality = measure_quality(measured, settings.metric, settings.quality_points, task.params.seed)
    _report(task, {**counts, **shares, **quality}, xy, label)


def _store(task: Task, samples: AtlasSamples, xy: NDArray[np.float32], made_from: Mapping[str, str]) -> None:
    """Write the layout; in a comparison x is replaced by the difference of the attributions."""
    with zarr_store.create(a.LAYOUT, task.path(a.LAYOUT), task.settings(), made_from) as group:
        if samples.difference is not None:
            xy[:, 0], group.attrs["axis"] = _axis(task, samples.difference)
        zarr_store.write_array(group, a.LAYOUT, "sample", samples.sample)
        zarr_store.write_array(group, a.LAYOUT, "xy", xy)


def _usable_rows(scan: RowScan, settings: ReduceSettings, layer: str) -> NDArray[np.int64]:
    """Indices of the rows that have distances: all, or under cosine those that are not all zero.

    Raises:
        DataError: a row is not finite, or all rows are zero.
    """
    broken = len(scan.finite) - int(scan.finite.sum())
    if broken:
        raise _not_finite(layer, f"{broken} of {len(scan.finite)}")
    if not scan.nonzero.any():
        raise DataError(f"layer {layer}: expected activations, found zeros only; choose another layer")
    return np.flatnonzero(scan.nonzero) if settings.metric == "cosine" else np.arange(len(scan.nonzero))


def _not_finite(layer: str, found: str) -> DataError:
    return DataError(
        f"layer {layer}: expected finite activations, found {found} samples that are not; "
        "check the weights, or use sample.dtype=float32"
    )


def _check_count(found: int, settings: ReduceSettings, layer: str) -> None:
    if found < settings.needed_points:
        option = "reduce.perplexity" if settings.method == "tsne" else "reduce.neighbors"
        advice = "" if settings.method == "pca" else f", or lower {option}"
        raise DataError(
            f"layer {layer}: {settings.method} needs at least {settings.needed_points} distinct activations, found "
            f"{found}; use more images or sample.positions_per_image{advice}"
        )


def _axis(task: Task, difference: NDArray[np.float32]) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """X [n] of the samples of a comparison, and the layout's attribute ``axis``."""
    x, axis = comparison_axis(difference)
    left, right = parse_atlas(task.atlas).classes
    return x, {"left": left, "right": right, "scale": axis.scale, "clipped": axis.clipped}


def _reference(task: Task, sample: NDArray[np.int64]) -> tuple[NDArray[np.float64], str]:
    """Coordinates [n, 2] in the PCA plane that all layouts are aligned with, and the identity of its activations."""
    layer = task.params.layers[-1]
    group = zarr_store.open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS, layer=layer))
    array = zarr_store.array(group, "activation")
    with single_threaded_blas():
        moments = layer_statistics(array)
        if not np.isfinite(moments.mean).all():
            raise _not_finite(layer, "some")
        plane = pca.principal_plane(moments)
        coordinates = np.concatenate([pca.project(block, plane) for _, block in row_blocks(array)])
    return coordinates[sample], zarr_store.artifact_identity(group)


def _labels(task: Task) -> NDArray[np.int64]:
    """The label of each image, -1 where it has none."""
    return read_manifest(task.path(a.IMAGES)).label


def _report(task: Task, metrics: Mapping[str, Any], xy: NDArray[np.float32], label: NDArray[np.int64]) -> None:
    task.write_metrics(metrics)
    plotted = np.sort(np.random.default_rng(task.params.seed).permutation(len(xy))[:PLOT_POINTS])
    x, y = xy[plotted].astype(np.float64).round(4).T
    task.write_plot({"x": x.tolist(), "y": y.tolist(), "label": label[plotted].tolist()})
    text = {name: "undefined" if value is None else f"{value:.3f}" for name, value in metrics.items()}
    log_line(
        f"reduce {task.layer}/{task.atlas}: {counted(metrics['points'], 'point')} ({metrics['distinct']} distinct, "
        f"{metrics['zero']} zero), {metrics['outliers']:.1%} outliers, {metrics['filled']:.0%} of a 20-level grid "
        f"occupied; trustworthiness {text['trustworthiness_10']} (k 10), {text['trustworthiness_50']} (k 50); "
        f"continuity {text['continuity_10']}, {text['continuity_50']}; label hits {text['label_hits']} "
        f"(activations: {text['label_hits_activations']}){_report_by_group(metrics, text)}"
    )


def _report_by_group(metrics: Mapping[str, Any], text: Mapping[str, str]) -> str:
    """The measures of landmarks and of placed samples; empty unless there are both."""
    if "trustworthiness_10_placed" not in metrics:
        return ""
    names = [f"{measure}_{k}" for measure in ("trustworthiness", "continuity") for k in (10, 50)]
    each = [f"{group} {', '.join(text[f'{name}_{group}'] for name in names)}" for group in ("landmarks", "placed")]
    return f"; {metrics['landmarks']} landmarks laid out, the rest placed among them: {'; '.join(each)}"
