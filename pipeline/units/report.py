"""What the page shows of a layer's units: one data file, and pictures and patches as WebP."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.core.site_data import pack_array
from pipeline.units.examples import Examples
from pipeline.units.figures import Clusters
from pipeline.units.filters import FilterSheet
from pipeline.units.pictures import Role
from pipeline.units.scan import BINS, Histogram

Content = dict[str, Any]
Pixels = NDArray[np.uint8]
PATCH_SIDE = 96  # of a patch on the page, pixels
QUALITY = {"picture": 92, "patch": 85}
BARS = 40  # of a histogram, at most


@dataclass(frozen=True, eq=False)
class Picture:
    """A finished picture.

    Attributes:
        role: of ``high`` or ``low`` activation, of a ``facet``, or one of those that are ``diverse``.
        image: uint8 [y, x, 3].
        activation: of the channel, the mean over held-out transforms.
    """

    role: Role
    image: Pixels
    activation: float


@dataclass(frozen=True, eq=False)
class Unit:
    """Everything that is known about a unit.

    Attributes:
        channel: of the layer.
        name: of the class, where the channels are the classes.
        high, low: highest and lowest activation in the images.
        active_images: share of the images in which it is above zero at some position, 0..1.
        active_positions: share of all positions at which it is above zero, 0..1.
        histogram: of all activations, of this unit alone.
        examples: of each kind.
        clusters: of its strongest patches; None where it has fewer than two.
        nearest: the other channel that is most correlated with it, and the correlation.
        pictures: of the unit.
        threshold: activation that few positions exceed, above which activation maps are bright; None without maps.
        maps: images of the highest activation with their activation maps, uint8 [image, y, x, 3].
        concept: annotated concept of the largest intersection over union, and that; None without masks.
    """

    channel: int
    name: str | None
    high: float
    low: float
    active_images: float
    active_positions: float
    histogram: Histogram
    examples: Mapping[str, Examples]
    clusters: Clusters | None
    nearest: tuple[int, float]
    pictures: Sequence[Picture]
    threshold: float | None = None
    maps: Sequence[Pixels] = ()
    concept: tuple[str, float] | None = None


def unit_content(unit: Unit, names: Callable[[int], tuple[str, str | None]], *, photographs: bool) -> Content:
    """A unit's entry in the data file.

    Args:
        unit: the unit.
        names: key and label of the image in a row.
        photographs: whether its examples are shown.
    """
    shown: Mapping[str, Examples] = unit.examples if photographs else {}
    examples = {
        kind: [
            {
                "image": int(found.image[number]),
                "key": names(int(found.image[number]))[0],
                "label": names(int(found.image[number]))[1],
                "position": found.position[number].tolist(),
                "activation": _number(found.activation[number]),
            }
            for number in range(len(found))
        ]
        for kind, found in shown.items()
    }
    clusters = unit.clusters
    return {
        "channel": unit.channel,
        "name": unit.name,
        "high": _number(unit.high),
        "low": _number(unit.low),
        "active": {"images": _number(unit.active_images), "positions": _number(unit.active_positions)},
        "histogram": histogram_content(unit.histogram),
        "examples": examples,
        "clarity": _number(clusters.clarity) if clusters else None,
        "clusters": np.bincount(clusters.cluster).tolist() if clusters else [],
        "silhouette": _number(clusters.silhouette) if clusters else None,
        "nearest": {"channel": unit.nearest[0], "correlation": _number(unit.nearest[1])},
        "maps": len(unit.maps),
        "concept": None if unit.concept is None else {"name": unit.concept[0], "iou": _number(unit.concept[1])},
        "threshold": None if unit.threshold is None else _number(unit.threshold),
        "pictures": [{"role": one.role, "activation": _number(one.activation)} for one in unit.pictures],
    }


def histogram_content(histogram: Histogram) -> Content:
    """The histogram of one unit, in at most :data:`BARS` bars from its lowest to its highest value.

    Args:
        histogram: of one unit.
    """
    (counts,) = histogram.counts
    (filled,) = np.nonzero(counts)
    step, first, last = 1, int(filled[0]) - BINS, int(filled[-1]) - BINS
    while last // step - first // step >= BARS:
        step *= 2
    bins = (np.arange(2 * BINS) - BINS) // step
    bars = [int(counts[bins == bar].sum()) for bar in range(first // step, last // step + 1)]
    width = 2.0 ** int(histogram.exponent[0]) * step
    return {"start": first // step * width, "width": width, "counts": pack_array(np.array(bars, np.int64))}


def write_pictures(folder: Path, unit: Unit) -> None:
    """Write a unit's first picture below ``pictures``, and all others side by side below ``variants``."""
    first, *others = (one.image for one in unit.pictures)
    write_image(folder / f"pictures/{unit.channel}.webp", first, QUALITY["picture"])
    if others:
        write_image(folder / f"variants/{unit.channel}.webp", np.concatenate(others, axis=1), QUALITY["picture"])


def write_maps(folder: Path, unit: Unit) -> None:
    """Write the activation maps of a unit side by side.

    Args:
        folder: of the files.
        unit: the unit, with at least one map.
    """
    write_image(folder / f"{unit.channel}.webp", np.concatenate(unit.maps, axis=1), QUALITY["patch"])


def write_filters(folder: Path, sheets: Sequence[FilterSheet]) -> None:
    """Write the filters of each convolution below ``filters``, without loss.

    Args:
        folder: of the layer's units.
        sheets: of the filters.
    """
    for number, sheet in enumerate(sheets):
        write_image(folder / f"filters/{number}.webp", sheet.image, None)


def filters_content(sheets: Sequence[FilterSheet]) -> list[Content]:
    """What the page says of the filters."""
    return [
        {
            "layer": one.layer,
            "filters": one.filters,
            "size": list(one.size),
            "channels": one.channels,
            "colors": one.colors,
            "width": one.image.shape[1],
            "height": one.image.shape[0],
        }
        for one in sheets
    ]


def write_patches(folder: Path, unit: Unit, patch: Callable[[int, NDArray[np.int32]], Pixels]) -> None:
    """Write a unit's examples, one row for each kind.

    Args:
        folder: of the files.
        unit: the unit.
        patch: returns the patch of an image around a position, uint8 [side, side, 3].
    """
    columns = max(len(found) for found in unit.examples.values())
    sheet = np.full((PATCH_SIDE * len(unit.examples), PATCH_SIDE * columns, 3), 255, np.uint8)
    for row, found in enumerate(unit.examples.values()):
        for column in range(len(found)):
            image = Image.fromarray(patch(int(found.image[column]), found.position[column]))
            resized = image.resize((PATCH_SIDE, PATCH_SIDE), Image.Resampling.LANCZOS)
            top, left = row * PATCH_SIDE, column * PATCH_SIDE
            sheet[top : top + PATCH_SIDE, left : left + PATCH_SIDE] = np.asarray(resized)
    write_image(folder / f"{unit.channel}.webp", sheet, QUALITY["patch"])


def write_image(path: Path, image: Pixels, quality: int | None) -> None:
    """Write an image as WebP.

    Args:
        path: of the file; missing folders are made.
        image: uint8 [y, x, 3].
        quality: 0..100; None writes it without loss.
    """
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", lossless=quality is None, quality=quality or 100, method=4)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue())


def _number(value: float) -> float | None:
    """A number as JSON has it, as exact as float32; None where it is not finite."""
    return float(np.float32(value)) if isfinite(value) else None
