"""Sheets: pictures of the same units side by side, made in different ways; what the page shows of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.config.units import SheetName
from pipeline.units.report import QUALITY, write_image

Pixels = NDArray[np.uint8]
WIDEST = 16383  # of a WebP image, pixels


@dataclass(frozen=True)
class Cell:
    """A picture of a sheet, and what was measured on it; None for what does not apply.

    Attributes:
        image: uint8 [y, x, 3].
        activation: of each unit of its row, as a multiple of the highest one in the images; empty for none.
        fidelity: cosine between the picture's mean activation over the map and what it was optimized for, the mean
            activation of the unit's strongest patches or a direction, both minus the layer's mean, -1..1.
        recognized: whether the judge finds the patches of its unit nearest to it, among all units of the sheet, as a
            share of its deepest depths.
        shared: share of the unit's strongest images that are also the strongest ones of the column's network, 0..1.
        concept: annotated concept of the largest intersection over union, and that.
        change: root mean square of the difference from the photograph, over pixels and colors in 0..1.
        fine: share of a gradient's power at high frequencies, 0..1.
    """

    image: Pixels
    activation: tuple[float, ...] = ()
    fidelity: float | None = None
    recognized: float | None = None
    shared: float | None = None
    concept: tuple[str, float] | None = None
    change: float | None = None
    fine: float | None = None


@dataclass(frozen=True)
class Row:
    """Pictures of one unit, of two, or of a vector over channels.

    Attributes:
        channels: of the layer; empty for all of them.
        text: what tells the row from another one of the same units; empty for nothing.
        cells: one for each column; None where a picture could not be rendered.
        distance: mean difference between two pictures of the row: root mean square over pixels and colors in 0..1, and
            one minus the cosine of their activations; None where that is not measured.
    """

    channels: tuple[int, ...]
    text: str
    cells: Sequence[Cell | None]
    distance: tuple[float, float] | None = None


@dataclass(frozen=True)
class Sheet:
    """A sheet.

    Attributes:
        name: of the sheet.
        columns: name, text and source of each.
        rows: of pictures.
    """

    name: SheetName
    columns: Sequence[tuple[str, str, str]]
    rows: Sequence[Row]


def write_sheet(folder: Path, sheet: Sheet) -> None:
    """Write the pictures of each row side by side, below ``sheets``.

    Args:
        folder: of the layer's units.
        sheet: to be written.
    """
    for number, row in enumerate(sheet.rows):
        images = [cell.image for cell in row.cells if cell is not None]
        if not images:
            continue
        blank, side = np.full_like(images[0], 255), min(len(images[0]), WIDEST // len(row.cells))
        cells = [blank if cell is None else cell.image for cell in row.cells]
        strip = np.concatenate([_reduced(image, side) for image in cells], axis=1)
        write_image(folder / f"sheets/{sheet.name}/{number}.webp", strip, QUALITY["picture"])


def _reduced(image: Pixels, side: int) -> Pixels:
    """A square image [y, x, 3] of this side, unless it is no larger."""
    if len(image) <= side:
        return image
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.LANCZOS))


def sheet_content(sheet: Sheet) -> dict[str, Any]:
    """What the page says of a sheet."""
    return {
        "name": sheet.name,
        "columns": [{"name": name, "text": text, "source": source} for name, text, source in sheet.columns],
        "rows": [
            {
                "channels": list(row.channels),
                "text": row.text,
                "distance": None if row.distance is None else [round(value, 4) for value in row.distance],
                "cells": [None if cell is None else _cell_content(cell) for cell in row.cells],
            }
            for row in sheet.rows
        ],
    }


def _cell_content(cell: Cell) -> dict[str, Any]:
    found: dict[str, Any] = {"activation": [round(value, 4) for value in cell.activation]}
    for name in ("fidelity", "recognized", "shared", "change", "fine"):
        value = getattr(cell, name)
        found[name] = None if value is None else round(value, 4)
    found["concept"] = None if cell.concept is None else {"name": cell.concept[0], "iou": round(cell.concept[1], 4)}
    return found
