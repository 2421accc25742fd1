"""Stage ``tile``: icons => a Deep Zoom pyramid of each grid level."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config.tile import TileSettings
from pipeline.core import artifacts as a
from pipeline.core import zarr_store
from pipeline.core.deep_zoom import OVERLAP, IconLayout, TileForm, density_sides, level_rows, write_pyramid
from pipeline.core.files import atomic, folder_digest, identity, write_json
from pipeline.core.grid_levels import GridLevel, IconLevel, grid_level, icon_level, level_sizes
from pipeline.core.icon_styles import IconStyle, by_level, stored_styles, style_group
from pipeline.core.progress import log_line, tracked
from pipeline.stages import Task


def run(task: Task) -> None:
    """Write the pyramids of every grid level, and ``tiles.json`` that describes them.

    Those of further styles of icons than the first are in a folder named after the style.
    """
    settings = task.params.tile
    icons = zarr_store.open_artifact(a.ICONS, task.path(a.ICONS))
    grid = zarr_store.open_artifact(a.GRID, task.path(a.GRID))
    styles, sizes = stored_styles(icons), level_sizes(icons)
    names = " and ".join(styles)
    log_line(f"tile {task.layer}/{task.atlas}: {names} icons, level {', '.join(map(str, sizes))}")
    metrics: dict[IconStyle, dict[str, dict[str, Any]]] = {style: {} for style in styles}
    with atomic(task.path(a.TILES)) as folder:
        folder.mkdir()
        described, digests = {}, {}
        for style in styles:
            target = folder if style == styles[0] else folder / style
            target.mkdir(exist_ok=True)
            for size in sizes:
                level = icon_level(style_group(icons, style), size)
                side, failed = _write_level(target, level, grid_level(grid, size), settings)
                larger = (
                    side > size * level.icon.shape[1] if level.has_large else False
                )  # tile.icon_size may reduce them
                described[str(size)] = {"width": side, "height": side} | ({"large": True} if larger else {})
                name = f"{size}" if target == folder else f"{style}/{size}"
                digests[name] = folder_digest(folder / f"{name}_files")
                metrics[style][str(size)] = {"pixels": side, "failed": failed, **_count_files(target, size)}
        made_from = {a.ICONS.name: zarr_store.artifact_identity(icons), a.GRID.name: zarr_store.artifact_identity(grid)}
        attributes = a.TILES.attributes(task.settings(), made_from)
        content = {
            **attributes,
            "identity": identity(attributes),
            "format": settings.format,
            "tile_size": settings.tile_size,
            "overlap": OVERLAP,
            "styles": list(styles),
            "levels": described,
            "digests": digests,
        }
        write_json(folder / "tiles.json", content)
    task.write_metrics(by_level(metrics))
    _report(task, metrics)


def _write_level(folder: Path, icons: IconLevel, grid: GridLevel, settings: TileSettings) -> tuple[int, int]:
    """Write one pyramid, of the large icons where there are any.

    Returns:
        The side of its image in pixels, and how many of its icons had failed.
    """
    size, images = icons.size, icons.large if icons.has_large else icons.icon
    pixels = settings.icon_size or images.shape[1]
    layout = _layout(icons, grid, pixels, settings)
    rows = tracked(
        level_rows(layout, lambda first, last: np.asarray(images[first:last]), pixels), f"level {size}", size, "row"
    )
    form = TileForm(settings.tile_size, settings.format, settings.quality)
    write_pyramid(folder, str(size), rows, size * pixels, form)
    return size * pixels, int(layout.failed.sum())


def _layout(icons: IconLevel, grid: GridLevel, pixels: int, settings: TileSettings) -> IconLayout:
    side = np.full(len(icons.cell), pixels)
    if settings.size_by_density:
        side = density_sides(grid.count[icons.cell], grid.size**2, int(grid.count.sum()), pixels)
    return IconLayout(grid.size, grid.cell[icons.cell], side, ~np.isfinite(icons.fidelity))


def _count_files(folder: Path, size: int) -> dict[str, int]:
    files = [path for path in (folder / f"{size}_files").rglob("*") if path.is_file()]
    return {"files": len(files), "bytes": sum(path.stat().st_size for path in files)}


def _report(task: Task, metrics: Mapping[IconStyle, Mapping[str, Mapping[str, Any]]]) -> None:
    found = [(style, size, numbers) for style, levels in metrics.items() for size, numbers in levels.items()]
    for style, size, numbers in found:
        failed = f", {numbers['failed']} icons failed and show stripes" if numbers["failed"] else ""
        log_line(
            f"tile {task.layer}/{task.atlas} level {size}, {style}: {numbers['pixels']} px square, "
            f"{numbers['files']} tiles, {numbers['bytes'] / 1e6:.1f} MB{failed}"
        )
