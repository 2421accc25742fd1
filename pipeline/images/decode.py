"""Decoding: from an image file of any kind to upright RGB of 8 bits, or one reason why that is impossible.

The result is what an image viewer shows: EXIF orientation applied, transparency on white, more bits
scaled (not clipped) to 8, the first frame of an animation.
"""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import EpsImagePlugin, Image, ImageOps, UnidentifiedImageError

from pipeline.core.errors import ImageError

# The project's own limit is a setting that is checked before decoding; Pillow's fixed limit would be in its way.
Image.MAX_IMAGE_PIXELS = None

# Pillow goes by a file's content, not by its name, and would start Ghostscript for a program in PostScript. These
# formats hold pixels alone; the last two are those of plugins that a user may have installed.
FORMATS = (
    *("AVIF", "BMP", "DDS", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "QOI", "SGI", "TGA"),
    *("TIFF", "WEBP", "HEIF", "JXL"),
)
# image sets of others open files without this list; they may not start Ghostscript either
EpsImagePlugin.gs_binary = False

DEEP_MODES = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")


def open_file(path: Path) -> Image.Image:
    """Open an image file without decoding its pixels.

    Raises:
        ImageError: the file is empty, not an image, or of a format that is not one of :data:`FORMATS`.
        OSError: it cannot be read.
    """
    return _open(path, path.stat().st_size)


def open_content(content: bytes) -> Image.Image:
    """Open the content of an image file without decoding its pixels.

    Raises:
        ImageError: as :func:`open_file`.
    """
    return _open(BytesIO(content), len(content))


def _open(source: Path | BytesIO, size: int) -> Image.Image:
    if size == 0:
        raise ImageError("the file is empty")
    try:
        return Image.open(source, formats=_known_formats())
    except UnidentifiedImageError:
        raise ImageError("not an image, or of a format that is not read") from None


@cache
def _known_formats() -> tuple[str, ...]:
    """Those of :data:`FORMATS` that this Pillow can read; it raises an error for an unknown one."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def load(open_image: Callable[[], Image.Image], max_pixels: int) -> Image.Image:
    """Open and decode an image: upright, RGB, 8 bits.

    Args:
        open_image: opens it, decoded or not yet.
        max_pixels: larger images are rejected before they are decoded.

    Raises:
        ImageError: it cannot be used; the message gives the reason without naming the image.
    """
    try:
        with open_image() as image:
            return upright_rgb(image, max_pixels)
    except ImageError:
        raise
    except Exception as error:  # noqa: BLE001 - a broken file makes decoders raise any kind of error
        raise ImageError(_reason(error)) from None


def upright_rgb(image: Image.Image, max_pixels: int) -> Image.Image:
    """The first frame of an image: upright, RGB, 8 bits, transparency on white.

    Args:
        image: opened, decoded or not yet.
        max_pixels: larger images are rejected before they are decoded.

    Raises:
        ImageError: too many pixels, truncated, or of a color space that cannot be converted to RGB.
    """
    pixels = image.width * image.height
    if pixels > max_pixels:
        raise ImageError(f"expected at most {max_pixels:,} pixels, found {image.width} x {image.height} = {pixels:,}")
    try:
        image.load()
        return _rgb(_upright(image))
    except ImageError:
        raise
    except Exception as error:  # noqa: BLE001 - a broken file makes decoders raise any kind of error
        raise ImageError(_reason(error)) from None


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 - broken EXIF data has no orientation; the pixels are still good
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
    """Gray values [y, x] of more than 8 bits, scaled to 0..255.

    16-bit integers are scaled by their full range; wider ones by the smaller of 0..255 and 0..65535 that holds them;
    floats by the smallest of 0..1, 0..255 and 0..65535; what none of these holds by its own minimum and maximum.
    """
    gray = values.astype(np.float64)
    if not np.isfinite(gray).all():
        raise ImageError("expected finite pixel values, found NaN or infinity")
    low, high = float(gray.min()), float(gray.max())
    if values.dtype.kind == "f":
        tops: tuple[float, ...] = (1.0, 255.0, 65535.0)
    else:
        tops = (65535.0,) if values.dtype.itemsize <= 2 else (255.0, 65535.0)
    top = next((top for top in tops if low >= 0 and high <= top), None)
    if top is None:
        gray, top = gray - low, max(high - low, 1e-12)
    return np.rint(gray * (255.0 / top)).astype(np.uint8)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, OSError) and "truncated" in text:
        return f"the file is cut short: {text}"
    return f"cannot be decoded: {text}"
