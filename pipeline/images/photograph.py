"""An image that the network saw => what the page shows of it."""

import io
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from PIL import Image

from pipeline.core.escaping import escape_control_chars
from pipeline.images.manifest import Manifest

IMAGES_PER_FOLDER = 1000


def encoded(crop: Image.Image, longest_side: int, quality: int = 82) -> bytes:
    """The network's crop of an image as WebP, made smaller where it is larger than asked; no metadata goes along.

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


def picture_name(row: int) -> str:
    """The picture's place among the images of a page: ``<folder>/<row>.webp``."""
    return f"{row // IMAGES_PER_FOLDER}/{row}.webp"


def folders(
    images: Manifest, labels: Sequence[str], classes: Sequence[str], pictures: Collection[int]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """For each folder of images its number and, by row, what the page says of them: key, label, 1 with a picture.

    Args:
        images: all of them, also those without a picture.
        labels: names of the image set's classes.
        classes: names of the network's classes.
        pictures: rows that have a picture.
    """
    for first in range(0, len(images), IMAGES_PER_FOLDER):
        rows = range(first, min(first + IMAGES_PER_FOLDER, len(images)))
        about = {
            f"{row}": [
                escape_control_chars(images.key[row]),
                label_name(images, row, labels, classes),
                int(row in pictures),
            ]
            for row in rows
        }
        yield first // IMAGES_PER_FOLDER, about


def label_name(images: Manifest, row: int, labels: Sequence[str], classes: Sequence[str]) -> str | None:
    """The name of an image's label: the network's where it knows the class, else the image set's; None without one."""
    label, class_ = int(images.label[row]), int(images.class_[row])
    if 0 <= class_ < len(classes):
        return classes[class_]
    return labels[label] if 0 <= label < len(labels) else None
