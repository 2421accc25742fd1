"""Stage ``site``: grid, icons, exemplars and tiles => a static folder that people browse.

It writes the pages, ``data/`` and ``viewer/`` beside the tiles. Every data file is a classic script, since a page
opened from disk may run those but may not fetch anything.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core import artifacts as a
from pipeline.core.files import atomic
from pipeline.core.pack import part
from pipeline.core.progress import say, tracked
from pipeline.core.zarr_store import open_artifact
from pipeline.images.manifest import ManifestImages, read_manifest
from pipeline.images.open_set import open_image_set
from pipeline.images.photograph import encoded, folders, picture_name
from pipeline.model.config import PreprocessingSettings
from pipeline.model.layers import LayerShape
from pipeline.model.preprocessing import network_crop
from pipeline.model.saved import describe
from pipeline.site.atlas import AtlasData, Run
from pipeline.site.made import how_made
from pipeline.site.manifest import layer_entry, manifest
from pipeline.site.page import PAGES, page
from pipeline.site.places_source import places_content
from pipeline.site.sources import read_atlas, read_directions, read_membership, read_zero_share
from pipeline.site.viewer_files import viewer_files
from pipeline.stages import Task

Rows = NDArray[np.int64]


def run(task: Task) -> None:
    """Write the pages, their data and the viewer, in place of those of any earlier run."""
    site, title = task.path(a.SITE), task.params.site.title
    viewer = viewer_files()
    network = describe(task.path(a.MODEL))
    listed = read_manifest(task.path(a.IMAGES))
    places = places_content(task, network, len(listed))  # first: a wrong place is refused before anything is written
    with atomic(site / "data") as data:
        layers, shown = _write_layers(task, data, network, listed.class_)
        _write_images(task, data, network, shown)
        second = task.params.place.title if task.params.placed else None
        made = how_made(task, network, listed)
        content = manifest(title, network, layers, len(listed), task.params.site.exemplars, second, made)
        _write_part(data, "manifest", content)
        _write_part(data, "places", places)
    with atomic(site / "viewer") as folder:
        folder.mkdir()
        for name, source in viewer.items():
            (folder / name).write_bytes(source)
    for file, script in PAGES.items():
        with atomic(site / file) as partial:
            partial.write_text(page(title, script), encoding="utf-8")
    _summarise(task, site, layers, len(shown))


def _write_layers(task: Task, data: Path, network: Mapping[str, Any], label: Rows) -> tuple[list[dict[str, Any]], Rows]:
    """Write the data of every atlas; returns the layers' entries and the rows of all images that they show."""
    names, classes = task.params.layers, len(network["classes"])
    reference = open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS, names[-1]))
    run = Run(task.params.site, label, classes, read_directions(reference, label, classes))
    entries: dict[str, list[dict[str, Any]]] = {layer: [] for layer in names}
    shown: list[Rows] = []
    for atlas in tracked(task.params.atlases, "cells", len(task.params.atlases), "atlas"):
        levels = task.params.grid.for_atlas(atlas)
        members = {layer: read_membership(task, layer, atlas, levels) for layer in names}
        for layer in names:
            entry, rows = _write_atlas(task, data, AtlasData(layer, atlas, members, run))
            entries[layer].append(entry)
            shown.append(rows)
    crop = network["preprocessing"]["crop"]
    layers = [
        layer_entry(layer, LayerShape(**network["layers"][layer]), crop, atlases, read_zero_share(task, layer))
        for layer, atlases in entries.items()
    ]
    return layers, np.unique(np.concatenate(shown))


def _write_atlas(task: Task, data: Path, atlas: AtlasData) -> tuple[dict[str, Any], Rows]:
    """Write the data of one atlas; returns its entry in the manifest and the rows of the images that it shows."""
    source = read_atlas(task, atlas.layer, atlas.name, list(atlas.member.levels))
    for name, content in atlas.parts(source):
        _write_part(data, f"{atlas.layer}/{atlas.name}/{name}", content)
    return atlas.entry(source), atlas.shown(source)


def _write_images(task: Task, data: Path, network: Mapping[str, Any], shown: Rows) -> None:
    """Store each image that is some cell's exemplar once, as the network saw it, and name all images."""
    if not task.params.site.exemplars:
        return
    image_set = open_image_set(task.params.images)
    images = ManifestImages(read_manifest(task.path(a.IMAGES)), image_set, task.params.prepare.max_pixels)
    preprocessing = PreprocessingSettings.model_validate(network["preprocessing"], strict=False)
    for row in tracked([int(row) for row in shown], "exemplar images", len(shown), "image"):
        path = data / "images" / picture_name(row)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(network_crop(images.load(row), preprocessing), task.params.site.image_size))
    for number, about in folders(images.manifest, image_set.classes, network["classes"], set(shown.tolist())):
        _write_part(data, f"images/{number}", about)


def _write_part(data: Path, name: str, content: Mapping[str, Any]) -> None:
    path = data / f"{name}.js"
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
        f"site: {len(layers)} layers, {len(task.params.atlases)} atlases, {len(levels)} levels, {cells} drawn cells, "
        f"{images} exemplar images; {size / 1e6:.1f} MB of data in {len(files)} files; open {site / 'index.html'}"
    )
