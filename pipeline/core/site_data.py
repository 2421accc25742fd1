"""Data files of the page: packed arrays, and scripts that a page may load from disk as well as from a web host.

A page opened from disk may run a classic script but may not fetch anything, so every data file is such a script.
"""

import base64
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.errors import ArtifactError

MEMBERS_PER_BLOCK = 2**16


def pack_array(values: NDArray[Any]) -> dict[str, Any]:
    """An array as JSON: its number type, shape and deflated little-endian bytes in base64.

    Every number keeps its value: whole numbers in the smallest type that holds them, others as ``float32``, so that the
    page shows the same digits wherever it shows a number.

    Args:
        values: any shape; booleans, whole numbers, or floats.
    """
    kind = np.dtype(np.float32) if values.dtype.kind == "f" else smallest_type(values)
    data = zlib.compress(values.astype(kind.newbyteorder("<")).tobytes(), level=9)
    return {"type": kind.name, "shape": list(values.shape), "data": base64.b64encode(data).decode("ascii")}


def smallest_type(values: NDArray[Any]) -> np.dtype[Any]:
    """The smallest of the page's number types that holds these whole numbers."""
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    types = (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32)
    return next(np.dtype(kind) for kind in types if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)


def data_script(name: str, content: Mapping[str, Any]) -> str:
    """A script that assigns ``content`` to the page's data under ``name``.

    No ``<`` and nothing outside ASCII is left unescaped, so that no name in it can end the script or start markup.
    """
    return f"(self.atlasParts??={{}})[{_literal(name)}]={_literal(content)};\n"


def read_data_script(path: Path) -> dict[str, Any]:
    """The content of a file that :func:`data_script` made.

    Raises:
        ArtifactError: there is no such file, or it is damaged.
    """
    try:
        text = path.read_text("ascii")
        found = json.loads(text.partition("]=")[2].removesuffix(";\n"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise ArtifactError(f"{path}: expected a data file of the site, found none; run 'atlas run' again")
    return found


def images_by_cell(cell: NDArray[np.int64], sample: NDArray[np.int64], image: NDArray[np.int64]) -> NDArray[np.int64]:
    """The image of every point [point], ordered by the cells of the finest level and then by the sample.

    A finest cell's images begin where those of the cells before it end; a coarser cell is the union of finer ones.

    Args:
        cell: [point] the cell that it lies in.
        sample: [point] the sample that it is.
        image: [sample] row of each sample's image.
    """
    return image[sample[np.lexsort((sample, cell))]]


def member_blocks(images: NDArray[np.int64]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and content of the data files that hold the list of :func:`images_by_cell`, cut into blocks."""
    for index, start in enumerate(range(0, len(images), MEMBERS_PER_BLOCK)):
        yield f"members-{index}", {"image": pack_array(images[start : start + MEMBERS_PER_BLOCK])}


def _literal(content: Any) -> str:
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")
