"""Thumbnails of images for the page, and the lists that name every image."""

import io
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from PIL import Image

from pipeline.core.errors import escape_control_chars
from pipeline.images.manifest import Manifest

IMAGES_PER_FOLDER = 1000


def encode_thumbnail(crop: Image.Image, longest_side: int, quality: int = 82) -> bytes:
    """The network's crop of an image as WebP without metadata, scaled down to ``longest_side`` where it is larger.

    Args:
        crop: RGB.
        longest_side: pixels.
        quality: 0..100.
    """
    image = crop.convert("RGB")
    image.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()


def thumbnail_path(row: int) -> str:
    """Path of an image's thumbnail below the page's folder of images: ``<folder>/<row>.webp``."""
    return f"{row // IMAGES_PER_FOLDER}/{row}.webp"


def image_lists(
    images: Manifest, labels: Sequence[str], classes: Sequence[str], thumbnails: Collection[int]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """For each folder of images its number and, by row, key, label name and 1 where there is a thumbnail.

    Args:
        images: all of them, also those without a thumbnail.
        labels: names of the image set's classes.
        classes: names of the network's classes.
        thumbnails: rows that have a thumbnail.
    """
    for first in range(0, len(images), IMAGES_PER_FOLDER):
        rows = range(first, min(first + IMAGES_PER_FOLDER, len(images)))
        yield (
            first // IMAGES_PER_FOLDER,
            {
                f"{row}": [
                    escape_control_chars(images.key[row]),
                    label_name(images, row, labels, classes),
                    int(row in thumbnails),
                ]
                for row in rows
            },
        )


def label_name(images: Manifest, row: int, labels: Sequence[str], classes: Sequence[str]) -> str | None:
    """The name of an image's label: the network's where it has the class, else the image set's; None without one."""
    label, class_ = int(images.label[row]), int(images.class_[row])
    if 0 <= class_ < len(classes):
        return classes[class_]
    return labels[label] if 0 <= label < len(labels) else None
