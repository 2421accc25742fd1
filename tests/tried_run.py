"""A tiny run on photographs of known kinds, whose positions are known to lie together, and images to try on it."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.core import artifacts as a
from pipeline.core.cells import assign_cells
from pipeline.core.zarr_store import array, open_artifact
from tests.tiny_run import checkout, run

SIDE = 64
EACH = 3  # photographs of a kind
KINDS: dict[str, tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int]]] = {
    # two colors, and the steps down and to the right after which they change
    "red": ((220, 20, 20), (200, 30, 40), (8, 8)),
    "blue": ((10, 20, 230), (20, 50, 200), (8, 8)),
    "green": ((20, 200, 30), (60, 180, 20), (8, 8)),
    "white": ((250, 250, 250), (235, 240, 245), (8, 8)),
    "black": ((5, 5, 5), (20, 15, 25), (8, 8)),
    "bars": ((250, 250, 20), (10, 10, 60), (64, 2)),
}


def picture(kind: str, number: int) -> Image.Image:
    """A photograph of a kind: the same pattern with other noise for each number."""
    first, second, (down, right) = KINDS[kind]
    rows, columns = np.indices((SIDE, SIDE))
    odd = (rows // down + columns // right) % 2 == 1
    pixels = np.where(odd[..., None], second, first) + np.random.default_rng(number).normal(0, 6, (SIDE, SIDE, 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    """The content of an image file."""
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def try_run(folder: Path, *overrides: str, leave_out: Sequence[str] = ("predict", "patch")) -> Path:
    """Make ``folder`` a checkout in which the pipeline has run on photographs of every kind; it is the current one."""
    checkout(folder)
    for index, kind in enumerate(KINDS):
        for number in range(EACH):
            path = folder / "photographs" / kind / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture(kind, 100 * index + number).save(path)
    run(folder, "sample.positions_per_image=6", *overrides, leave_out=leave_out)
    return folder


def own_cells(folder: Path, layer: str, kind: str, size: int, atlas: str = "all") -> set[tuple[int, int]]:
    """Cells (row, column) of a level in which samples of this kind's photographs lie."""
    outputs = folder / "outputs"
    layout = open_artifact(a.LAYOUT, a.LAYOUT.path(outputs, layer, atlas))
    activations = open_artifact(a.ACTIVATIONS, a.ACTIVATIONS.path(outputs, layer))
    image: NDArray[np.int64] = np.asarray(array(activations, "image")[...])[np.asarray(array(layout, "sample")[...])]
    level = assign_cells(np.asarray(array(layout, "xy")[...]), [size])[0]
    inside = np.isin(image // EACH, [sorted(KINDS).index(kind)])  # an image folder lists its files by name
    return {(int(row), int(column)) for row, column in level.cell[np.unique(level.of_point[inside])]}
