"""Pictures of heat maps for the page: a column's color scale, and the strips of pictures of an image."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from pipeline.images.thumbnails import encode_thumbnail

SIDE = 168  # of a picture, pixels
FULL_COLOR = 0.98  # share of a column's absolute values that are below full color
POSITIVE, NEGATIVE = (214, 69, 0), (29, 88, 216)  # sRGB
QUALITY = 88

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


def resized(heat: Floats, side: int = SIDE) -> Floats:
    """Heat maps [row, y, x] in another resolution: the mean where it is lower, bilinear interpolation where higher.

    Args:
        heat: in any resolution.
        side: of the result, pixels.
    """
    maps = torch.from_numpy(np.ascontiguousarray(heat, np.float32))[:, None]
    smaller = heat.shape[-1] > side
    found = interpolate(maps, (side, side), mode="bilinear", align_corners=False, antialias=smaller)
    return np.asarray(found[:, 0].numpy())


def full_color(heat: Floats) -> float:
    """The absolute value that is shown in full color, of all maps of a column; 0 where all are zero.

    Args:
        heat: as it is shown, [row, y, x].
    """
    return float(np.quantile(np.abs(heat), FULL_COLOR)) or float(np.abs(heat).max(initial=0))


def colored(heat: Floats, scale: float, crop: Image.Image | None) -> Pixels:
    """A heat map in color over the image in pale gray, uint8 [y, x, 3].

    Args:
        heat: as it is shown, [y, x].
        scale: absolute value of full color.
        crop: the network's crop of the image; None for white.
    """
    side = heat.shape[0]
    base = np.full((side, side), 255.0)
    if crop is not None:
        gray = crop.convert("L").resize((side, side), Image.Resampling.LANCZOS)
        base = 110 + 145 / 255 * np.asarray(gray, np.float64)
    strength = np.clip(np.abs(heat) / scale if scale else np.zeros_like(heat), 0, 1)[..., None]
    color = np.where(heat[..., None] >= 0, POSITIVE, NEGATIVE)
    return np.asarray(np.rint(base[..., None] * (1 - strength) + color * strength), np.uint8)


def strip(pictures: Sequence[Pixels]) -> Image.Image:
    """Pictures side by side.

    Args:
        pictures: uint8 [y, x, 3] each, of equal height.
    """
    return Image.fromarray(np.concatenate(pictures, axis=1))


def photograph(crop: Image.Image, side: int = SIDE) -> Pixels:
    """The network's crop of an image, uint8 [side, side, 3]."""
    return np.asarray(crop.convert("RGB").resize((side, side), Image.Resampling.LANCZOS), np.uint8)


def from_input(pixels: Tensor, side: int = SIDE) -> Pixels:
    """An image [3, y, x] in 0..1, uint8 [side, side, 3]."""
    values = (pixels.clamp(0, 1) * 255).round().byte().movedim(0, -1).cpu().numpy()
    return photograph(Image.fromarray(values), side)


def write(path: Path, picture: Image.Image) -> None:
    """Write a picture as WebP.

    Args:
        path: of the file; missing folders are made.
        picture: RGB.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_thumbnail(picture, max(picture.size), QUALITY))
