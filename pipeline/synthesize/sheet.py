"""The sheet of a method: its pictures in rows and columns, what was measured on them, and how it is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.config.synthesize import MethodName
from pipeline.core.files import write_csv
from pipeline.core.site_data import data_script
from pipeline.images.thumbnails import encode_thumbnail

QUALITY = 90
LONGEST_SIDE = 2048  # of a picture on the page, pixels

Content = dict[str, Any]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture.

    Attributes:
        image: uint8 [y, x, 3].
        values: by the name of the measure, see :class:`Measure`.
        text: one short line below it; empty for none.
        cell: of the atlas that it is about, ``layer``, ``level``, ``row`` and ``column``; None for none.
    """

    image: Pixels
    values: Mapping[str, float] = field(default_factory=dict)
    text: str = ""
    cell: tuple[str, int, int, int] | None = None


@dataclass(frozen=True, eq=False)
class Row:
    """A row of pictures.

    Attributes:
        name: of the row: an image's label, a layer.
        text: below the name: an image's key, say; empty for none.
        pictures: one for each column; None for none.
    """

    name: str
    text: str
    pictures: Sequence[Picture | None]


@dataclass(frozen=True)
class Column:
    """A column of pictures.

    Attributes:
        name: of the column.
        text: what it shows, one sentence.
        source: authors and year of the method; empty for none.
    """

    name: str
    text: str = ""
    source: str = ""


@dataclass(frozen=True)
class Measure:
    """A number below pictures.

    Attributes:
        name: by which pictures give its value.
        label: a few words before the value.
        text: what it is, in which unit or range, one sentence.
    """

    name: str
    label: str
    text: str


@dataclass(frozen=True)
class Curve:
    """Lines over ordered items, such as layers.

    Attributes:
        name: of the chart.
        text: what it shows, one sentence.
        x: what the items are.
        y: what the values are, with their unit.
        items: names of the items.
        lines: values [item] by the name of the line; NaN for what is not known.
    """

    name: str
    text: str
    x: str
    y: str
    items: Sequence[str]
    lines: Mapping[str, Sequence[float]]


@dataclass(frozen=True, eq=False)
class Sheet:
    """Everything that the page shows of a method.

    Attributes:
        method: its name.
        columns: of pictures; a single one without a name for a contact sheet.
        rows: of pictures.
        measures: of the pictures, in the order in which they are shown.
        curves: charts above the pictures.
        notes: sentences about this run: what was chosen, what came out.
        tables: to download, by file name: columns by their names.
        files: to download besides, by file name: their bytes.
        metrics: for ``dvc metrics show``.
    """

    method: MethodName
    columns: Sequence[Column]
    rows: Sequence[Row]
    measures: Sequence[Measure] = ()
    curves: Sequence[Curve] = ()
    notes: Sequence[str] = ()
    tables: Mapping[str, Mapping[str, Sequence[Any]]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(picture is not None for row in self.rows for picture in row.pictures)


def write_sheet(folder: Path, sheet: Sheet, settings: Mapping[str, Any]) -> None:
    """Write the pictures, the files to download, and ``synthesize.js``, which the page loads.

    Args:
        folder: of the method; it is made.
        sheet: to be written.
        settings: of the method, which the page lists.
    """
    folder.mkdir(parents=True)
    for name, table in sheet.tables.items():
        write_csv(folder / name, table)
    for name, content in sheet.files.items():
        (folder / name).write_bytes(content)
    for number, row in enumerate(sheet.rows):
        for column, picture in enumerate(row.pictures):
            if picture is not None:
                file = folder / picture_name(number, column)
                file.write_bytes(encode_thumbnail(Image.fromarray(picture.image), LONGEST_SIDE, QUALITY))
    (folder / "synthesize.js").write_text(
        data_script(f"synthesize/{sheet.method}/synthesize", _content(sheet, settings)), "ascii"
    )


def picture_name(row: int, column: int) -> str:
    """File name of a picture, by row and column, from 0."""
    return f"{row}-{column}.webp"


def _content(sheet: Sheet, settings: Mapping[str, Any]) -> Content:
    return {
        "method": sheet.method,
        "settings": dict(settings),
        "columns": [{"name": one.name, "text": one.text, "source": one.source} for one in sheet.columns],
        "measures": [{"name": one.name, "label": one.label, "text": one.text} for one in sheet.measures],
        "rows": [
            {"name": row.name, "text": row.text, "pictures": [_picture(one) for one in row.pictures]}
            for row in sheet.rows
        ],
        "curves": [
            {
                "name": one.name,
                "text": one.text,
                "x": one.x,
                "y": one.y,
                "items": list(one.items),
                "lines": [{"name": name, "values": [_number(v) for v in line]} for name, line in one.lines.items()],
            }
            for one in sheet.curves
        ],
        "notes": list(sheet.notes),
        "downloads": [*sheet.tables, *sheet.files],
    }


def _picture(picture: Picture | None) -> Content | None:
    if picture is None:
        return None
    height, width = picture.image.shape[:2]
    cell = picture.cell and dict(zip(("layer", "level", "row", "column"), picture.cell, strict=True))
    return {
        "width": width,
        "height": height,
        "text": picture.text,
        "cell": cell,
        "values": {name: _number(value) for name, value in picture.values.items()},
    }


def _number(value: float) -> float | None:
    """A number with four significant digits; None where it is not finite."""
    return float(f"{value:.4g}") if isfinite(value) else None
