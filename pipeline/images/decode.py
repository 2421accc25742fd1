"""From whatever a file holds to an upright RGB picture, or one clear reason why not.

A picture is turned into what a person sees in a viewer: EXIF orientation applied, transparency on white, 16 bits
scaled (not clipped) to 8, the first frame of an animation.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.core.errors import ImageError

# The project's own limit is a setting and is checked before anything is decoded; Pillow's fixed one would only
# stand in its way.
Image.MAX_IMAGE_PIXELS = None

DEEP_MODES = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")


def open_file(path: Path) -> Image.Image:
    """Open an image file without decoding its pixels.

    Raises:
        ImageError: the file is empty or no image.
        OSError: it cannot be read.
    """
    if path.stat().st_size == 0:
        raise ImageError("the file is empty")
    try:
        return Image.open(path)
    except UnidentifiedImageError:
        raise ImageError("not an image, or of a kind that Pillow cannot read") from None


def load(open_image: Callable[[], Image.Image], max_pixels: int) -> Image.Image:
    """Open and decode an image: upright, RGB, 8 bits.

    Args:
        open_image: opens it, decoded or about to be.
        max_pixels: larger images are refused before they are decoded.

    Raises:
        ImageError: it cannot be used; says why, without naming the image.
    """
    try:
        with open_image() as image:
            return upright_rgb(image, max_pixels)
    except ImageError:
        raise
    except Exception as error:  # noqa: BLE001 - a broken file makes decoders raise whatever they like
        raise ImageError(_reason(error)) from None


def upright_rgb(image: Image.Image, max_pixels: int) -> Image.Image:
    """The image as a person sees it: upright, RGB, 8 bits, transparency on white, first frame.

    Args:
        image: opened, decoded or about to be.
        max_pixels: larger images are refused before they are decoded.

    Raises:
        ImageError: too many pixels, truncated, or of a colour space that cannot be turned into RGB.
    """
    pixels = image.width * image.height
    if pixels > max_pixels:
        raise ImageError(f"expected at most {max_pixels:,} pixels, found {image.width} x {image.height} = {pixels:,}")
    try:
        image.load()
        return _rgb(_upright(image))
    except ImageError:
        raise
    except Exception as error:  # noqa: BLE001 - a broken file makes decoders raise whatever they like
        raise ImageError(_reason(error)) from None


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 - broken EXIF data says nothing; the pixels are still good
        return image


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in DEEP_MODES:
        return Image.fromarray(_eight_bits(np.asarray(image))).convert("RGB")
    if "A" in image.mode or "a" in image.mode or "transparency" in image.info:
        clear = image.convert("RGBA")
        white = Image.new("RGBA", clear.size, "white")
        return Image.alpha_composite(white, clear).convert("RGB")
    return image.convert("RGB")


def _eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Grey values [y, x] of more than 8 bits, scaled to 0..255.

    16 bits are scaled by their range; other values by the range that they nearly fill: 0..1, 0..255, 0..65535, or else
    their own.
    """
    grey = values.astype(np.float64)
    if not np.isfinite(grey).all():
        raise ImageError("expected finite pixel values, found NaN or infinity")
    low, high = float(grey.min()), float(grey.max())
    if values.dtype.kind == "f":
        tops: tuple[float, ...] = (1.0, 255.0, 65535.0)
    else:
        tops = (65535.0,)
    top = next((top for top in tops if low >= 0 and high <= top), None)
    if top is None:
        grey, top = grey - low, max(high - low, 1e-12)
    return np.rint(grey * (255.0 / top)).astype(np.uint8)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, OSError) and "truncated" in text:
        return f"the file is cut short: {text}"
    return f"cannot be decoded: {text}"
