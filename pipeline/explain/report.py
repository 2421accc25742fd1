"""What the page shows of the explanations: one data file, and strips of pictures as WebP."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pipeline.config.explain import ExplainSettings
from pipeline.core.atlas_icons import AtlasIcons
from pipeline.core.bootstrap import Interval
from pipeline.core.errors import escape_control_chars
from pipeline.core.layer_names import LOGITS
from pipeline.core.nearest_cells import nearest_cells
from pipeline.core.site_data import data_script
from pipeline.explain import activation_grid
from pipeline.explain.activation_grid import ActivationGrid
from pipeline.explain.class_activation import CamHead
from pipeline.explain.fooling import LEVELS, amplified
from pipeline.explain.heatmaps import Column
from pipeline.explain.pictures import SIDE, colored, from_input, full_color, photograph, resized, strip, write
from pipeline.explain.region_search import Match, Query
from pipeline.explain.verdict import CONTROLS, Figures, mean_curves, summary
from pipeline.explain.worker import Rows
from pipeline.images.crops import CropSize
from pipeline.images.thumbnails import encode_thumbnail
from pipeline.model.description import LayerShape
from pipeline.parallel.tasks import Arrays

Content = dict[str, Any]
CONTROL_FIGURES = ("deletion", "insertion", "pointing", "mask_iou")
NEIGHBOR_SIDE = 112  # pixels
PUBLISHED = (
    "fill",
    "baseline",
    "integration_steps",
    "occlusion_size",
    "occlusion_stride",
    "mosaics",
    "randomized_images",
    "curve_steps",
)


@dataclass(frozen=True, eq=False)
class Neighbors:
    """Nearest images of those that are explained.

    Attributes:
        count: of each image.
        feature: what the last layer's features are.
        rows: of the neighbors in the list of images, by ``pixels`` and ``features``, [image, count].
        images: rows of the explained images.
        agreement: share of neighbors with the image's own label, over all compared images.
    """

    count: int
    feature: str
    rows: Mapping[str, NDArray[np.int64]]
    images: Sequence[int]
    agreement: Mapping[str, Interval]


@dataclass(frozen=True, eq=False)
class Fooling:
    """Small changes of images to other classes.

    Attributes:
        rows: the images, and the class that each is taken for.
        targets: the class that each is changed to.
        found: see :meth:`pipeline.explain.worker.Worker.fool`.
        moved: where the positions of the changed images fall in the atlas of each layer.
    """

    rows: Rows
    targets: Sequence[int]
    found: Arrays
    moved: Sequence[tuple[AtlasIcons, Sequence[ActivationGrid]]] = ()


@dataclass(frozen=True, eq=False)
class Regions:
    """Boxes in images, and what is like them.

    Attributes:
        layer: at which they are compared.
        shape: of its map.
        queries: the boxes.
        matches: of each, best first.
        atlas: icons of the layer; None where there are none.
    """

    layer: str
    shape: LayerShape
    queries: Sequence[Query]
    matches: Sequence[Sequence[Match]]
    atlas: AtlasIcons | None


@dataclass(frozen=True, eq=False)
class Report:
    """Everything that the stage has found.

    Attributes:
        layer: whose units are explained; ``logits`` for classes.
        settings: of the stage.
        seed: of the run.
        side: of the network's input, pixels.
        columns: of heat maps.
        rows: the images with the units that are explained.
        found: see :meth:`pipeline.explain.worker.Worker.explain`.
        figures: of every row.
        intervals: of figures, by a column's number or a control.
        head: for ``cam``.
        mosaics: how many there are, or why there are none; None where none are asked for.
        full_size: mosaics have twice the side of the network's input.
        steps: of the randomization, the last module that each randomizes.
        similarity: after each step, by a column's number.
        neighbors: nearest images.
        in_atlas: where the positions of each image fall, by its row, for each layer that has icons.
        regions: boxes in images, and what is like them.
        fooling: small changes.
        image_count: images of the run.
        crop: returns the network's crop of the image in a row.
        key, label: of the image in a row.
        class_name: of a unit, where units are classes.
    """

    layer: str
    settings: ExplainSettings
    seed: int
    side: int
    columns: Sequence[Column]
    rows: Rows
    found: Arrays
    figures: Figures
    intervals: Mapping[str, Mapping[str, Interval]]
    head: CamHead | None
    mosaics: int | str | None
    full_size: bool
    steps: Sequence[str]
    similarity: Mapping[str, Sequence[Interval]]
    neighbors: Neighbors | None
    in_atlas: Sequence[tuple[AtlasIcons, Mapping[int, ActivationGrid]]]
    regions: Regions | None
    fooling: Fooling | None
    image_count: int
    crop: Callable[[int], Image.Image]
    key: Callable[[int], str]
    label: Callable[[int], str | None]
    class_name: Callable[[int], str | None]

    def metrics(self) -> Content:
        """What ``dvc metrics show`` prints: figures of each column."""
        return {column.name: self._column_metrics(f"{number}") for number, column in enumerate(self.columns)}

    def _column_metrics(self, name: str) -> Content:
        found = {key: _number(interval.value) for key, interval in self.intervals[name].items()}
        similarity = self.similarity.get(name)
        return {**found, "similarity_randomized": _number(similarity[-1].value)} if similarity else found

    def summary(self) -> str:
        """One line for the log."""
        return summary({column.name: self.intervals[f"{number}"] for number, column in enumerate(self.columns)})


def write_report(folder: Path, report: Report) -> None:
    """Write the data file and the pictures.

    Args:
        folder: of the page's data, which does not exist yet.
        report: what the stage has found.
    """
    folder.mkdir(parents=True)
    scales = _write_strips(folder, report)
    _write_thumbnails(folder, report)
    for atlas, grids in report.in_atlas:
        for image, grid in grids.items():
            write(folder / f"atlas/{atlas.layer}/{image}.webp", activation_grid.picture(atlas, grid))
    fooling = None if report.fooling is None else _write_fooling(folder, report, report.fooling)
    content = {**_content(report, scales), "fooling": fooling}
    first = {f"{image}": row for row, (image, _) in reversed(list(enumerate(report.rows)))}
    (folder / "images.js").write_text(data_script(f"explain/{report.layer}/images", first), encoding="ascii")
    (folder / "explain.js").write_text(data_script(f"explain/{report.layer}", content), encoding="ascii")


def _write_strips(folder: Path, report: Report) -> list[float]:
    """Write each row's pictures side by side; returns the color scale of each column."""
    maps = [resized(report.found[f"heat-{number}"]) for number in range(len(report.columns))]
    scales = [full_color(heat) for heat in maps]
    for row, (image, _) in enumerate(report.rows):
        crop = report.crop(image) if report.settings.photographs else None
        pictures = [photograph(crop)] if crop is not None else []
        pictures += [colored(heat[row], scale, crop) for heat, scale in zip(maps, scales, strict=True)]
        write(folder / f"rows/{row}.webp", strip(pictures))
    return scales


def _write_thumbnails(folder: Path, report: Report) -> None:
    """Write the images that are shown as neighbors, or as like a box."""
    shown = set()
    if report.neighbors is not None:
        shown |= {row for one in report.neighbors.rows.values() for row in one.ravel().tolist()}
    if report.regions is not None:
        shown |= {match.image for matches in report.regions.matches for match in matches}
        shown |= {query.image for query in report.regions.queries}
    if shown:
        (folder / "thumbnails").mkdir()
    for row in sorted(shown):
        (folder / f"thumbnails/{row}.webp").write_bytes(encode_thumbnail(report.crop(row), NEIGHBOR_SIDE))


def _content(report: Report, scales: Sequence[float]) -> Content:
    """The data file, without fooling."""
    return {
        "layer": report.layer,
        "of_classes": report.layer == LOGITS,
        "side": report.side,
        "thumbnail": SIDE,
        "images": report.image_count,
        "photographs": report.settings.photographs,
        "settings": {name: getattr(report.settings, name) for name in PUBLISHED},
        "head": None if report.head is None else _head_content(report.head),
        "columns": [
            _column_content(report, number, column, scale)
            for number, (column, scale) in enumerate(zip(report.columns, scales, strict=True))
        ],
        "controls": {
            name: {
                **{figure: _interval(report.intervals[name].get(figure)) for figure in CONTROL_FIGURES},
                "curves": _rounded(mean_curves(report.figures, name)),
            }
            for name in CONTROLS
        },
        "randomization": (
            {"steps": list(report.steps), "images": min(report.settings.randomized_images, len(report.rows))}
            if report.steps
            else None
        ),
        "mosaics": (
            None
            if report.mosaics is None
            else {"reason": report.mosaics}
            if isinstance(report.mosaics, str)
            else {"count": report.mosaics, "full_size": report.full_size}
        ),
        "rows": [_row_content(report, row) for row in range(len(report.rows))],
        "neighbors": None if report.neighbors is None else _neighbors_content(report, report.neighbors),
        "regions": None if report.regions is None else _regions_content(report, report.regions),
        "atlas": [_atlas_content(atlas, grids) for atlas, grids in report.in_atlas],
    }


def _head_content(head: CamHead) -> Content:
    return {
        "layer": head.layer,
        "kind": head.kind,
        "agreement": head.agreement,
        "accuracy": None if head.accuracy is None else list(head.accuracy),
    }


def _column_content(report: Report, number: int, column: Column, scale: float) -> Content:
    name = f"{number}"
    heat, intervals = report.found[f"heat-{name}"], report.intervals[name]
    verdict: Content = {
        figure: _interval(intervals.get(figure))
        for figure in (
            *("deletion", "deletion_random", "deletion_center", "insertion", "insertion_random", "insertion_center"),
            *("grid_pointing", "pointing", "mask_iou"),
        )
    }
    similarity = report.similarity.get(name)
    verdict["randomization"] = None if similarity is None else [_interval(one) for one in similarity]
    verdict["completeness"] = _completeness(report, heat) if column.method == "integrated_gradients" else None
    return {
        "method": column.method,
        "layer": column.layer,
        "signed": column.signed,
        "scale": _number(scale),
        "grid": list(heat.shape[1:]),
        "constant": int(report.figures.constant[name].sum()),
        "verdict": verdict,
        "curves": _rounded(mean_curves(report.figures, name)),
    }


def _completeness(report: Report, heat: NDArray[np.float32]) -> float | None:
    """How far integrated gradients miss the difference of the scores, as a share of it; the mean over the rows."""
    difference = report.found["score"].astype(np.float64) - report.found["baseline"]
    error = np.abs(heat.astype(np.float64).sum(axis=(1, 2)) - difference)
    known = difference != 0
    return _number(float((error[known] / np.abs(difference[known])).mean())) if known.any() else None


def _row_content(report: Report, row: int) -> Content:
    image, unit = report.rows[row]
    figures = report.figures
    cells = []
    for number in range(len(report.columns)):
        name = f"{number}"
        cells.append(
            {
                "constant": bool(figures.constant[name][row]),
                "deletion": _number(figures.areas(figures.deletion, name)[row]),
                "insertion": _number(figures.areas(figures.insertion, name)[row]),
            }
        )
    return {
        "image": image,
        "key": escape_control_chars(report.key(image)),
        "label": report.label(image),
        "unit": unit,
        "name": report.class_name(unit),
        "score": _number(report.found["score"][row]),
        "share": _number(report.found["share"][row]) if report.layer == LOGITS else None,
        "strip": row,
        "cells": cells,
    }


def _neighbors_content(report: Report, neighbors: Neighbors) -> Content:
    shown = sorted({*np.concatenate([one.ravel() for one in neighbors.rows.values()]).tolist()})
    agreement = {name: _interval(one) for name, one in neighbors.agreement.items()}
    return {
        "count": neighbors.count,
        "feature": neighbors.feature,
        "images": {
            f"{image}": {name: found[number].tolist() for name, found in neighbors.rows.items()}
            for number, image in enumerate(neighbors.images)
        },
        "names": {f"{row}": [escape_control_chars(report.key(row)), report.label(row)] for row in shown},
        "agreement": agreement if all(agreement.values()) else None,
    }


def _atlas_content(atlas: AtlasIcons, grids: Mapping[int, ActivationGrid]) -> Content:
    return {
        "layer": atlas.layer,
        "level": atlas.level,
        "images": {
            f"{image}": {
                "size": list(grid.icon.shape),
                "cells": atlas.cell[grid.icon.ravel()].tolist(),
                "similarity": _numbers(grid.similarity.ravel()),
            }
            for image, grid in grids.items()
        },
    }


def _regions_content(report: Report, regions: Regions) -> Content:
    share = CropSize(regions.shape.receptive_field, report.side).share
    entries = []
    for query, matches in zip(regions.queries, regions.matches, strict=True):
        cell = None
        if regions.atlas is not None:
            found = nearest_cells(query.activation[None], regions.atlas.activation, regions.atlas.mean)
            place = regions.atlas.cell[found.cell[0]].tolist()
            cell = {"level": regions.atlas.level, "cell": place, "similarity": _number(found.similarity[0])}
        entries.append(
            {
                "image": query.image,
                "key": escape_control_chars(report.key(query.image)),
                "label": report.label(query.image),
                "box": list(query.box),
                "cell": cell,
                "matches": [
                    {
                        "image": match.image,
                        "key": escape_control_chars(report.key(match.image)),
                        "label": report.label(match.image),
                        "similarity": _number(match.similarity),
                        "center": [
                            _number((match.position[1] + 0.5) / regions.shape.width),
                            _number((match.position[0] + 0.5) / regions.shape.height),
                        ],
                    }
                    for match in matches
                ],
            }
        )
    return {"layer": regions.layer, "patch": _number(share), "boxes": entries}


def _write_fooling(folder: Path, report: Report, fooling: Fooling) -> list[Content]:
    """Write pictures of the changes; returns what the page says of them."""
    found = fooling.found
    row_of = {image: number for number, (image, _) in reversed(list(enumerate(report.rows)))}
    before = {atlas.layer: grids for atlas, grids in report.in_atlas}
    content = []
    for number, ((image, predicted), target) in enumerate(zip(fooling.rows, fooling.targets, strict=True)):
        if image not in row_of:  # it has no label, and its label is explained
            continue
        levels = {name: found[name][number] for name in ("pixels", "linf-levels", "noise")}
        change = (levels["linf-levels"].astype(np.float32) - levels["pixels"].astype(np.float32)) / LEVELS
        shown, factor = amplified(_tensor(change)[None])
        pictures = [_tensor(levels["pixels"]) / LEVELS, _tensor(levels["linf-levels"]) / LEVELS, shown[0]]
        pictures.append(_tensor(levels["noise"]) / LEVELS)
        write(folder / f"fooling/{row_of[image]}.webp", strip([from_input(one.float()) for one in pictures]))
        for atlas, grids in fooling.moved:
            path = folder / f"fooling/{atlas.layer}/{row_of[image]}.webp"
            write(path, activation_grid.picture(atlas, grids[number]))
        own, other = found["linf-path"][number]
        content.append(
            {
                "row": row_of[image],
                "predicted_name": report.class_name(predicted),
                "target": int(target),
                "target_name": report.class_name(int(target)),
                "linf": _number(LEVELS * found["linf-linf"][number]),
                "l2": _number(found["l2-l2"][number]),
                "factor": _number(float(factor[0])),
                "own": _number(own[0]),
                "probability": _number(found["linf-probability"][number]),
                "png": bool(found["linf-png"][number]),
                "jpeg": bool(found["linf-jpeg"][number]),
                "noise_probability": _number(found["noise_probability"][number]),
                "moved": [
                    {
                        "layer": atlas.layer,
                        "level": atlas.level,
                        "share": _number(float((grids[number].icon != before[atlas.layer][image].icon).mean())),
                    }
                    for atlas, grids in fooling.moved
                ],
                "path": {"own": _numbers(own), "target": _numbers(other)},
            }
        )
    return content


def _tensor(values: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))


def _rounded(curves: Mapping[str, Sequence[float]]) -> dict[str, list[float | None]]:
    return {kind: _numbers(values) for kind, values in curves.items()}


def _numbers(values: Sequence[float] | NDArray[np.floating]) -> list[float | None]:
    return [_number(value) for value in values]


def _interval(found: Interval | None) -> Content | None:
    """A figure with its interval; None where it could not be measured."""
    if found is None or not isfinite(found.value):
        return None
    return {"value": _number(found.value), "low": _number(found.low), "high": _number(found.high)}


def _number(value: Any) -> float | None:
    """A number with four significant digits; None where it is not finite."""
    return float(f"{value:.4g}") if isfinite(value) else None
