"""The stage ``tile``: from icons to a Deep Zoom picture of each grid level."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from pipeline.core import artifacts as a
from pipeline.core import zarr_store as store
from pipeline.core.digests import identity
from pipeline.core.files import atomic, write_json
from pipeline.core.progress import say, tracked
from pipeline.stages import Task
from pipeline.tile.canvas import Placed, canvas_rows
from pipeline.tile.config import TileSettings
from pipeline.tile.marks import density_sides
from pipeline.tile.pyramid import OVERLAP, write_pyramid


def run(task: Task) -> None:
    """Write the pyramids of every grid level, and ``tiles.json`` that describes them."""
    settings = task.params.tile
    icons = store.open_artifact(a.ICONS, task.path(a.ICONS))
    grid = store.open_artifact(a.GRID, task.path(a.GRID))
    sizes = sorted(int(name) for name in icons.group_keys())
    say(f"tile {task.layer}/{task.atlas}: icons of levels {', '.join(map(str, sizes))}")
    metrics = {}
    with atomic(task.path(a.TILES)) as folder:
        folder.mkdir()
        described = {}
        for size in sizes:
            side, failed = _write_level(folder, size, store.level(icons, size), store.level(grid, size), settings)
            described[str(size)] = {"width": side, "height": side}
            metrics[str(size)] = {"pixels": side, "failed": failed, **_files(folder, size)}
        made_from = {a.ICONS.name: store.artifact_identity(icons), a.GRID.name: store.artifact_identity(grid)}
        attributes = a.TILES.attributes(task.settings(), made_from)
        content = {
            **attributes,
            "identity": identity(attributes),
            "format": settings.format,
            "tile_size": settings.tile_size,
            "overlap": OVERLAP,
            "levels": described,
        }
        write_json(folder / "tiles.json", content)
    task.write_metrics(metrics)
    _report(task, metrics)


def _write_level(
    folder: Path, size: int, icons: zarr.Group, grid: zarr.Group, settings: TileSettings
) -> tuple[int, int]:
    """Write one pyramid; the side of its picture in pixels, and how many of its icons had failed."""
    images = store.array(icons, "icon")
    pixels = settings.icon_size or images.shape[1]
    placed = _placed(size, icons, grid, pixels, settings)
    rows = tracked(
        canvas_rows(placed, lambda first, last: np.asarray(images[first:last]), pixels), f"level {size}", size, "row"
    )
    write_pyramid(folder, str(size), rows, size * pixels, settings)
    return size * pixels, int(placed.failed.sum())


def _placed(size: int, icons: zarr.Group, grid: zarr.Group, pixels: int, settings: TileSettings) -> Placed:
    index = np.asarray(store.array(icons, "cell")[...])
    count = np.asarray(store.array(grid, "count")[...])
    side = np.full(len(index), pixels)
    if settings.size_by_density:
        side = density_sides(count[index], size**2, int(count.sum()), pixels)
    fidelity = np.asarray(store.array(icons, "fidelity")[...])
    return Placed(size, np.asarray(store.array(grid, "cell")[...])[index], side, ~np.isfinite(fidelity))


def _files(folder: Path, size: int) -> dict[str, int]:
    files = [path for path in (folder / f"{size}_files").rglob("*") if path.is_file()]
    return {"files": len(files), "bytes": sum(path.stat().st_size for path in files)}


def _report(task: Task, metrics: Mapping[str, Mapping[str, Any]]) -> None:
    for size, numbers in metrics.items():
        failed = f", {numbers['failed']} icons failed and are hatched" if numbers["failed"] else ""
        say(
            f"tile {task.layer}/{task.atlas} level {size}: {numbers['pixels']} px square, {numbers['files']} tiles, "
            f"{numbers['bytes'] / 1e6:.1f} MB{failed}"
        )
