"""Listing an image set: which images can be used, and the reason for each that cannot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.core.errors import ImageError
from pipeline.core.progress import tracked
from pipeline.images.decode import load
from pipeline.images.image_set import Entry, ImageSet
from pipeline.images.manifest import Manifest

Item = TypeVar("Item")


@dataclass(frozen=True)
class UsableImage:
    """A usable image: its entry, the digest of its file, the size of the upright image in pixels."""

    entry: Entry
    digest: str
    width: int
    height: int


@dataclass(frozen=True)
class Listing:
    """Result of listing an image set.

    Attributes:
        manifest: the usable images.
        keys, reasons: of the rejected images.
    """

    manifest: Manifest
    keys: tuple[str, ...]
    reasons: tuple[str, ...]


def list_images(
    image_set: ImageSet,
    class_of_label: NDArray[np.int64],
    limit: int | None,
    max_pixels: int,
    min_side: int,
    keep: Callable[[Image.Image], None],
) -> Listing:
    """Decode every image once and list the usable ones.

    Args:
        image_set: where they come from.
        class_of_label: [label] the network's class for each class of the set, -1 where there is none.
        limit: images decoded at most, spread evenly over the set; None decodes all.
        max_pixels: images with more are rejected before they are decoded.
        min_side: images with a shorter side are rejected, pixels.
        keep: called with each usable image in order, upright and RGB.
    """
    entries = spread_evenly(image_set.entries(), limit)
    rejected: list[tuple[str, str]] = []
    used: list[UsableImage] = []
    for entry in tracked(entries, "checking", len(entries), "images"):
        try:
            image = _usable(image_set, entry.key, max_pixels, min_side)
            digest = image_set.digest(entry.key)
        except (ImageError, OSError) as error:
            rejected.append((entry.key, " ".join(str(error).split())))
            continue
        used.append(UsableImage(entry, digest, image.width, image.height))
        keep(image)
    return Listing(
        _manifest(used, class_of_label),
        tuple(key for key, _ in rejected),
        tuple(reason for _, reason in rejected),
    )


def spread_evenly(items: Sequence[Item], limit: int | None) -> Sequence[Item]:
    """At most ``limit`` of the items, evenly spaced, in order."""
    if limit is None or len(items) <= limit:
        return items
    return [items[step * len(items) // limit] for step in range(limit)]


def _usable(image_set: ImageSet, key: str, max_pixels: int, min_side: int) -> Image.Image:
    image = load(lambda: image_set.open(key), max_pixels)
    if min(image.size) < min_side:
        raise ImageError(f"expected sides of at least {min_side} pixels, found {image.width} x {image.height}")
    return image


def _manifest(used: Sequence[UsableImage], class_of_label: NDArray[np.int64]) -> Manifest:
    labels = np.array([-1 if image.entry.label is None else image.entry.label for image in used], dtype=np.int64)
    extended = np.append(class_of_label, -1)  # label -1 picks the last
    return Manifest(
        image=np.arange(len(used), dtype=np.int64),
        key=tuple(image.entry.key for image in used),
        label=labels,
        class_=extended[labels],
        width=np.array([image.width for image in used], dtype=np.int64),
        height=np.array([image.height for image in used], dtype=np.int64),
        digest=tuple(image.digest for image in used),
    )
