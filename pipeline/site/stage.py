"""Stage ``site``: grid, icons, exemplars and tiles => a static folder that people browse.

It writes ``index.html``, ``data/`` and ``viewer/`` beside the tiles. Every data file is a classic script, since a page
opened from disk may run those but may not fetch anything.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core import artifacts as a
from pipeline.core.pack import part
from pipeline.core.progress import say, tracked
from pipeline.core.store import open_artifact
from pipeline.core.whole import whole
from pipeline.images.manifest import ManifestImages, printable, read_manifest
from pipeline.images.open_set import open_image_set
from pipeline.model.config import PreprocessingSettings
from pipeline.model.layers import LayerShape
from pipeline.model.preprocessing import network_crop
from pipeline.model.saved import describe
from pipeline.site.classes import heat, strength
from pipeline.site.level import LevelCells, cells_content, exemplars_content, heat_blocks, level_entry
from pipeline.site.manifest import IMAGES_PER_FOLDER, atlas_entry, layer_entry, manifest
from pipeline.site.page import PAGES, page
from pipeline.site.photograph import encoded, label_name
from pipeline.site.sources import attribution_scale, read_level, read_tiles, read_zero_shares, values
from pipeline.site.viewer_files import viewer_files
from pipeline.stages import Task

Rows = NDArray[np.int64]


def run(task: Task) -> None:
    """Write the page, its data and the viewer, in place of those of any earlier run."""
    site, title = task.path(a.SITE), task.params.site.title
    viewer = viewer_files()
    network = describe(task.path(a.MODEL))
    listed = read_manifest(task.path(a.IMAGES))
    with whole(site / "data") as data:
        layers, shown = _write_layers(task, data, network)
        _write_images(task, data, network, shown)
        content = manifest(title, network, layers, len(listed), task.params.site.exemplars)
        _write_part(data / "manifest.js", "manifest", content)
    with whole(site / "viewer") as folder:
        folder.mkdir()
        for name, source in viewer.items():
            (folder / name).write_bytes(source)
    for file, script in PAGES.items():
        with whole(site / file) as partial:
            partial.write_text(page(title, script), encoding="utf-8")
    _summarise(task, site, layers, len(shown))


def _write_layers(task: Task, data: Path, network: Mapping[str, Any]) -> tuple[list[dict[str, Any]], Rows]:
    """Write the data of every atlas; returns the layers' entries and the rows of all images that they show."""
    zero_shares = read_zero_shares(task.outputs)
    total = len(task.params.layers) * len(task.params.atlases)
    pairs = ((layer, atlas) for layer in task.params.layers for atlas in task.params.atlases)
    entries: dict[str, list[dict[str, Any]]] = {layer: [] for layer in task.params.layers}
    shown: list[Rows] = []
    for layer, atlas in tracked(pairs, "cells", total, "atlas"):
        entry, rows = _write_atlas(task, data, layer, atlas)
        entries[layer].append(entry)
        shown.append(rows)
    crop = network["preprocessing"]["crop"]
    layers = [
        layer_entry(layer, LayerShape(**network["layers"][layer]), crop, atlases, zero_shares.get(layer))
        for layer, atlases in entries.items()
    ]
    return layers, np.unique(np.concatenate(shown))


def _write_atlas(task: Task, data: Path, layer: str, atlas: str) -> tuple[dict[str, Any], Rows]:
    """Write the data of one atlas; returns its entry in the manifest and the rows of the images that it shows."""
    grid = open_artifact(a.GRID, task.path(a.GRID, layer, atlas))
    icons = open_artifact(a.ICONS, task.path(a.ICONS, layer, atlas))
    samples = open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS, layer))
    levels = task.params.grid.for_atlas(atlas)
    tiles = read_tiles(task.path(a.TILES, layer, atlas), levels)
    scale = attribution_scale(grid, levels)
    entries, strengths, shown = [], [], [np.zeros(0, np.int64)]
    heats: list[dict[str, int]] = []
    for size in levels:
        cells, name = read_level(grid, icons, size), f"{layer}/{atlas}/{size}"
        _write_part(data / name / "cells.js", f"{name}/cells", cells_content(cells, task.params.site.top_classes))
        if scale and (size <= task.params.site.heat_level or not heats):
            heats.append(_write_heat(data, name, cells, scale))
        shown.append(_write_exemplars(task, data, name, cells, samples))
        strengths.append(strength(cells.attribution[cells.drawn]))
        entries.append(level_entry(cells, **tiles["levels"][str(size)]))
    heat_entry = {"levels": heats, "scale": scale, "strength": max(strengths)} if scale else None
    return atlas_entry(atlas, entries, tiles, heat_entry), np.unique(np.concatenate(shown))


def _write_heat(data: Path, name: str, cells: LevelCells, scale: float) -> dict[str, int]:
    """Write the heat planes of one level; returns how they are cut into files."""
    blocks = heat_blocks(heat(cells.attribution, scale))
    for index, content in enumerate(blocks):
        _write_part(data / name / f"heat-{index}.js", f"{name}/heat-{index}", content)
    return {"size": cells.size, "classes_per_block": blocks[0]["heat"]["shape"][0]}


def _write_exemplars(task: Task, data: Path, name: str, cells: LevelCells, samples: zarr.Group) -> Rows:
    """Write where the exemplars of one level come from; returns the rows of their images."""
    if not task.params.site.exemplars:
        return np.zeros(0, np.int64)
    content, rows = exemplars_content(
        cells, values(samples, "image"), values(samples, "position"), task.params.site.exemplars
    )
    _write_part(data / name / "exemplars.js", f"{name}/exemplars", content)
    return rows


def _write_images(task: Task, data: Path, network: Mapping[str, Any], shown: Rows) -> None:
    """Store each image that is some cell's exemplar once, as the network saw it, with its key and label."""
    if not len(shown):
        return
    image_set = open_image_set(task.params.images)
    images = ManifestImages(read_manifest(task.path(a.IMAGES)), image_set, task.params.prepare.max_pixels)
    preprocessing = PreprocessingSettings.model_validate(network["preprocessing"], strict=False)
    about: dict[int, dict[str, Any]] = {}
    for row in tracked([int(row) for row in shown], "exemplar images", len(shown), "image"):
        block = row // IMAGES_PER_FOLDER
        path = data / "images" / f"{block}" / f"{row}.webp"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(network_crop(images.load(row), preprocessing), task.params.site.image_size))
        label = label_name(images.manifest, row, image_set.classes, network["classes"])
        about.setdefault(block, {})[f"{row}"] = [printable(images.manifest.key[row]), label]
    for block, content in about.items():
        _write_part(data / "images" / f"{block}.js", f"images/{block}", content)


def _write_part(path: Path, name: str, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(part(name, content), encoding="ascii")


def _summarise(task: Task, site: Path, layers: list[dict[str, Any]], images: int) -> None:
    files = [path for path in (site / "data").rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    levels = [level for layer in layers for atlas in layer["atlases"] for level in atlas["levels"]]
    cells = sum(level["drawn"] for level in levels)
    task.write_metrics(
        {"layers": len(layers), "levels": len(levels), "drawn_cells": cells, "images": images, "data_bytes": size}
    )
    say(
        f"site: {len(layers)} layers, {len(levels)} levels, {cells} drawn cells, {images} exemplar images; "
        f"{size / 1e6:.1f} MB of data in {len(files)} files; open {site / 'index.html'}"
    )
