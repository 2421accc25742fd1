"""The sheet of a painting: the picture, the labels as icons of their cells, and the cells that the network finds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pipeline.core.progress import counted
from pipeline.featurevis.renderer import to_uint8
from pipeline.parallel.tasks import Arrays
from pipeline.synthesize.atlas_cells import Cell, atlas_level, named_cells, unlike_cells
from pipeline.synthesize.context import Context
from pipeline.synthesize.painting import OPTIMIZER, PaintingConfig, paint
from pipeline.synthesize.sheet import Column, Measure, Picture, Row, Sheet
from pipeline.synthesize.worker import Worker

ICONS = 4  # sides of an icon that the longer side of the picture has, where no size is given
MEASURES = (
    Measure(
        "agreement",
        "agreement",
        "Share of the positions, away from the borders of regions, at which the network finds the cell of the label "
        "rather than another one of the palette, 0 to 1.",
    ),
)

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class PaintTask:
    """One painting.

    Attributes:
        layer: dotted module path.
        palette: mean activations of the cells, [cell, channel].
        layer_mean: of the whole layer, [channel].
        labels: rows of numbers of the palette.
        size: (height, width), pixels.
    """

    layer: str
    palette: NDArray[np.float32]
    layer_mean: NDArray[np.float32]
    labels: Sequence[Sequence[int]]
    size: tuple[int, int]


def make(context: Context) -> Sheet:
    """Paint with the palette.

    Raises:
        ConfigError: a cell is named that is not drawn.
    """
    settings = context.settings.painting
    layer, labels = settings.layer or context.atlas_layers[-1], np.array(settings.labels, np.int64)
    palette = _palette(context, layer, int(labels.max()) + 1)
    labels = np.minimum(labels, len(palette) - 1)  # an atlas may have fewer cells than there are labels
    size = _size(labels.shape, settings.size or ICONS * palette[0].icon.shape[0])
    activations = np.stack([cell.activation for cell in palette])
    task = PaintTask(layer, activations, palette[0].layer_mean, labels.tolist(), size)
    (found,) = context.run("painting", paint_task, [task])
    overall = float(found["overall"])
    icons = [cell.icon for cell in palette]
    pictures = [
        Picture(found["image"], {"agreement": overall}),
        Picture(mosaic(labels, icons, size)),
        Picture(mosaic(found["nearest"], icons, size)),
    ]
    shares = [
        Picture(cell.icon, {"agreement": float(share)}, cell=cell.place)
        for cell, share in zip(palette, found["by_cell"], strict=True)
    ]
    columns = [
        Column("Picture", "Each region is optimized for the direction of its own cell.", "Olah et al. 2017"),
        Column("Labels", "The icons of the cells that each region shall have."),
        Column("Found", "The icon of the palette's cell that is nearest at each position of the layer's map."),
    ]
    cells = [Column(f"Cell {cell.address}", "A cell of the palette, by its icon.") for cell in palette]
    return Sheet(
        method="painting",
        columns=[*columns, *cells],
        rows=[Row(layer, "", [*pictures, *shares])],
        measures=MEASURES,
        notes=[f"Painted with {counted(len(palette), 'cell')} of {layer}."],
        metrics={"agreement": overall} if np.isfinite(overall) else {},
    )


def paint_task(worker: Worker, task: PaintTask) -> Arrays:
    """``image``, uint8 [y, x, 3]; ``nearest``, ``by_cell``, ``overall``: see :mod:`pipeline.synthesize.painting`."""
    device, own = worker.settings.device, worker.settings.painting
    found = paint(
        worker.network,
        task.layer,
        torch.from_numpy(task.palette).to(device),
        torch.tensor(task.labels, device=device),
        layer_mean=torch.from_numpy(task.layer_mean).to(device),
        config=PaintingConfig(size=task.size, optimizer=replace(OPTIMIZER, steps=own.steps)),
        seed=worker.seed,
    )
    return {
        "image": to_uint8(found.image[None])[0].cpu().numpy(),
        "nearest": found.agreement.nearest,
        "by_cell": found.agreement.by_cell,
        "overall": np.array(found.agreement.overall),
    }


def mosaic(labels: NDArray[np.int64], icons: Sequence[Pixels], size: tuple[int, int]) -> Pixels:
    """Labels as icons: a place shows the icon of its cell, the part of it that lies there when icons cover the picture.

    Args:
        labels: numbers of the icons, [row, column].
        icons: uint8 [y, x, 3], all of one size.
        size: (height, width) of the picture, pixels.
    """
    height, width = size
    numbers = Image.fromarray(labels.astype(np.uint8)).resize((width, height), Image.Resampling.NEAREST)
    side = icons[0].shape
    rows, columns = np.arange(height) % side[0], np.arange(width) % side[1]
    found: Pixels = np.stack(list(icons))[np.asarray(numbers), rows[:, None], columns]
    return found


def _palette(context: Context, layer: str, count: int) -> Sequence[Cell]:
    """The named cells, or ones that differ most."""
    named = context.settings.painting.palette
    if named:
        return named_cells(context.outputs, layer, named, "synthesize.painting.palette")
    return unlike_cells(atlas_level(context.outputs, layer), count)


def _size(labels: tuple[int, ...], longer: int) -> tuple[int, int]:
    """(height, width) of a picture whose places are square, pixels."""
    height, width = (max(1, round(longer * side / max(labels))) for side in labels)
    return height, width
