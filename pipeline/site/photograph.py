"""An image that the network saw => what the page shows of it."""

import io
from collections.abc import Sequence

from PIL import Image

from pipeline.images.manifest import Manifest


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


def label_name(images: Manifest, row: int, labels: Sequence[str], classes: Sequence[str]) -> str | None:
    """The name of an image's label: the network's where it knows the class, else the image set's; None without one."""
    label, class_ = int(images.label[row]), int(images.class_[row])
    if 0 <= class_ < len(classes):
        return classes[class_]
    return labels[label] if 0 <= label < len(labels) else None
