"""The sheet of the query by region: the images that hold most of some cells of the atlas, and a table of all images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.atlas_icons import AtlasIcons
from pipeline.core.errors import ConfigError
from pipeline.core.progress import counted
from pipeline.featurevis.renderer import to_uint8
from pipeline.parallel.tasks import Arrays, joined
from pipeline.synthesize.atlas_cells import Cell, atlas_level, cell_at, named_cells
from pipeline.synthesize.context import Context
from pipeline.synthesize.region_query import ranked, region_shares
from pipeline.synthesize.sheet import Column, Measure, Picture, Row, Sheet
from pipeline.synthesize.worker import Worker

IMAGES_PER_TASK = 32
THUMBNAIL = 160  # pixels
TABLE = "images.csv"
MEASURES = (
    Measure("more", "region", "Share of the image's activation that belongs to the cells of the region, 0 to 1."),
    Measure("less", "other region", "Share that belongs to the cells of which an image should hold little, 0 to 1."),
)


@dataclass(frozen=True, eq=False)
class SharesTask:
    """The shares of two regions in some images.

    Attributes:
        layer: dotted module path.
        rows: of the images.
        activation, mean: see :func:`pipeline.synthesize.region_query.region_shares`.
        regions: likewise.
    """

    layer: str
    rows: Sequence[int]
    activation: NDArray[np.float32]
    mean: NDArray[np.float32]
    regions: NDArray[np.bool_]


def make(context: Context) -> Sheet:
    """Rank all images.

    Raises:
        ConfigError: a cell is named that is not drawn, or cells of several levels.
    """
    settings = context.settings.region_query
    layer = settings.layer or context.atlas_layers[-1]
    atlas, more, less = _regions(context, layer)
    count = len(context.manifest)
    parts = [range(start, min(start + IMAGES_PER_TASK, count)) for start in range(0, count, IMAGES_PER_TASK)]
    regions = np.stack([_members(atlas, cells) for cells in (more, less)])
    tasks = [SharesTask(layer, list(part), atlas.activation, atlas.mean, regions) for part in parts]
    share = joined(context.run("shares", find_shares, tasks, "part"))["share"]
    order = ranked(share)
    shown = order[: settings.shown].tolist() if context.settings.photographs else []
    pictures = [found["image"] for found in context.run("thumbnails", thumbnail, shown)]
    rows = [
        Row(context.image_name(row), context.manifest.key[row], [Picture(image, _values(share[row], bool(less)))])
        for row, image in zip(shown, pictures, strict=True)
    ]
    return Sheet(
        method="region_query",
        columns=[Column("")],
        rows=rows,
        measures=MEASURES if less else MEASURES[:1],
        notes=_notes(layer, more, less, count),
        tables={
            TABLE: {
                "rank": range(1, count + 1),
                "image": [context.manifest.key[row] for row in order],
                "label": [context.label_of(row) for row in order.tolist()],
                "more": share[order, 0].round(6).tolist(),
                "less": share[order, 1].round(6).tolist(),
            }
        },
        metrics={"highest": float(share[order[0], 0]), "mean": float(share[:, 0].mean())},
    )


def find_shares(worker: Worker, task: SharesTask) -> Arrays:
    """``share`` [image, region] and ``position`` [image, region, 2] of some images."""
    found = region_shares(worker.maps(task.layer, task.rows), task.activation, task.mean, task.regions)
    return {"share": found.share, "position": found.position}


def thumbnail(worker: Worker, row: int) -> Arrays:
    """``image``: what the network sees of an image, uint8 [y, x, 3]."""
    return {"image": to_uint8(worker.crop(row, THUMBNAIL)[None])[0].cpu().numpy()}


def _regions(context: Context, layer: str) -> tuple[AtlasIcons, list[Cell], list[Cell]]:
    """The level of the cells, the cells of which images should hold much, and those of which little."""
    settings = context.settings.region_query
    more, less = (
        named_cells(context.outputs, layer, cells, f"synthesize.region_query.{name}")
        for name, cells in (("more", settings.more), ("less", settings.less))
    )
    levels = {cell.level for cell in (*more, *less)}
    if len(levels) > 1:
        raise ConfigError(
            "synthesize.region_query: expected cells of one level, found levels "
            f"{', '.join(map(str, sorted(levels)))}; name cells of one of them"
        )
    atlas = atlas_level(context.outputs, layer, next(iter(levels), None))
    return atlas, more or _fullest(atlas), less


def _fullest(atlas: AtlasIcons) -> list[Cell]:
    """The cell of most samples, and those around it."""
    center = atlas.cell[atlas.count.argmax()]
    near = np.flatnonzero(np.abs(atlas.cell - center).max(axis=1) <= 1)
    return [cell_at(atlas, number) for number in near.tolist()]


def _members(atlas: AtlasIcons, cells: Sequence[Cell]) -> NDArray[np.bool_]:
    named = {(cell.row, cell.column) for cell in cells}
    return np.array([(int(row), int(column)) in named for row, column in atlas.cell], bool)


def _values(share: NDArray[np.float64], both: bool) -> dict[str, float]:
    return {"more": float(share[0]), **({"less": float(share[1])} if both else {})}


def _notes(layer: str, more: Sequence[Cell], less: Sequence[Cell], count: int) -> list[str]:
    named = f"Region: {counted(len(more), 'cell')} of {layer}, {', '.join(cell.address for cell in more)}."
    other = f"Other region: {counted(len(less), 'cell')}, {', '.join(cell.address for cell in less)}."
    ranking = "by the share of the region less that of the other one" if less else "by the share of the region"
    return [named, *([other] if less else []), f"All {counted(count, 'image')} are ranked {ranking}."]
