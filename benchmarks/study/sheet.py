"""Strips of icons, and all strips of a layer in one picture with their names."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from pipeline.core.files import atomic

ICONS = 12
LARGEST = 64  # side of a shown icon, pixels
GAP = 4
NAMES = 250  # width of the names' column, pixels
LETTERS = 14
LIMIT = 400_000  # bytes of a picture


def strip(icons: Tensor, side: int) -> Image.Image:
    """A dozen of the icons, uint8 [icon, y, x, 3], evenly spaced, beside each other, each ``side`` pixels wide."""
    rows = np.linspace(0, len(icons) - 1, ICONS).round().astype(int)
    sheet = Image.new("RGB", (ICONS * (side + GAP) - GAP, side), "white")
    for place, row in enumerate(rows):
        icon = Image.fromarray(icons[int(row)].numpy())
        shown = icon if icon.width == side else icon.resize((side, side), Image.Resampling.LANCZOS)
        sheet.paste(shown, (place * (side + GAP), 0))
    return sheet


def write_sheet(path: Path, strips: Sequence[tuple[str, Image.Image]]) -> None:
    """All strips below each other with their names at the left, as WebP of less than 400 kB."""
    font = ImageFont.load_default(LETTERS)
    height = strips[0][1].height + GAP
    sheet = Image.new("RGB", (NAMES + strips[0][1].width, len(strips) * height), "white")
    pen = ImageDraw.Draw(sheet)
    for place, (name, picture) in enumerate(strips):
        pen.text((0, place * height + (height - LETTERS) // 2), name, fill="black", font=font)
        sheet.paste(picture, (NAMES, place * height))
    with atomic(path) as partial:
        partial.write_bytes(_small(sheet))


def _small(sheet: Image.Image) -> bytes:
    for quality in range(85, 0, -5):
        buffer = io.BytesIO()
        sheet.save(buffer, "WEBP", quality=quality, method=6)
        if buffer.tell() < LIMIT:
            break
    return buffer.getvalue()
