"""Stage ``site``: grid, icons, exemplars and tiles => a static folder for the browser.

It writes the pages, ``data/`` and ``viewer/`` beside the tiles.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config.model import PreprocessingSettings
from pipeline.core import artifacts as a
from pipeline.core.files import atomic
from pipeline.core.progress import counted, log_line, tracked
from pipeline.core.site_data import data_script
from pipeline.images.crops import network_crop
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import ManifestImages, read_manifest
from pipeline.images.thumbnails import encode_thumbnail, image_lists, thumbnail_path
from pipeline.model.description import LayerShape, read_description
from pipeline.site.atlas_data import AtlasData, Run
from pipeline.site.initial_layer import initial_layer
from pipeline.site.manifest import layer_entry, manifest, provenance_content, recorded_content
from pipeline.site.names import AtlasNames
from pipeline.site.pages import PAGES, page, viewer_files
from pipeline.site.read_artifacts import read_atlas, read_class_profiles, read_sample_cells, read_zero_share
from pipeline.site.regions import FINEST
from pipeline.site.tour import automatic_tour, given_bookmarks
from pipeline.stages import Task

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Written:
    """What is known of an atlas once its data files are written.

    Attributes:
        entry: its entry in the manifest.
        exemplar_images: rows of the images that its exemplars come from.
        names: what supports the names of its cells.
        metrics: by level, of these names.
    """

    entry: dict[str, Any]
    exemplar_images: Rows
    names: AtlasNames
    metrics: dict[str, Any]


def run(task: Task) -> None:
    """Write the pages, their data and the viewer, in place of those of any earlier run."""
    site, title = task.path(a.SITE), task.params.site.title
    viewer = viewer_files()
    network = read_description(task.path(a.MODEL))
    images = read_manifest(task.path(a.IMAGES))
    given = given_bookmarks(task, network)  # first: a wrong bookmark is refused before any writing
    opened = initial_layer(task, network["layers"])  # likewise
    with atomic(site / "data") as data:
        layers, rows, whole = _write_layers(task, data, network, images.class_)
        _write_images(task, data, network, rows)
        second = task.params.place.title if task.params.placed else None
        provenance = provenance_content(task, network, images)
        recorded = recorded_content(task, images, provenance)
        exemplars = task.params.site.exemplars
        content = manifest(title, network, layers, len(images), exemplars, second, opened, provenance, recorded)
        _write_data(data, "manifest", content)
        names = {layer: written.names.cells for layer, written in whole.items()}
        stops = given or automatic_tour(task, network, len(images), opened, names)
        _write_data(data, "bookmarks", {"automatic": not given, "bookmarks": stops})
    with atomic(site / "viewer") as folder:
        folder.mkdir()
        for name, source in viewer.items():
            (folder / name).write_bytes(source)
    for file, script in PAGES.items():
        with atomic(site / file) as partial:
            partial.write_text(page(title, script), encoding="utf-8")
    _report(task, site, layers, len(rows), {layer: written.metrics for layer, written in whole.items()})


def _write_layers(
    task: Task, data: Path, network: Mapping[str, Any], label: Rows
) -> tuple[list[dict[str, Any]], Rows, dict[str, Written]]:
    """Write the data of every atlas.

    Returns:
        The layers' entries, the rows of all exemplars' images, and by layer what is known of its atlas of all samples.
    """
    names, classes = task.params.layers, len(network["classes"])
    run = Run(task.params.site, label, classes, read_class_profiles(task, label, classes, FINEST))
    entries: dict[str, list[dict[str, Any]]] = {layer: [] for layer in names}
    exemplar_images: list[Rows] = []
    whole: dict[str, Written] = {}
    for atlas in tracked(task.params.atlases, "cells", len(task.params.atlases), "atlas"):
        levels = task.params.grid.for_atlas(atlas)
        sample_cells = {layer: read_sample_cells(task, layer, atlas, levels) for layer in names}
        for layer in names:
            written = _write_atlas(task, data, AtlasData(layer, atlas, sample_cells, run))
            entries[layer].append(written.entry)
            whole |= {layer: written} if atlas == "all" else {}
            exemplar_images.append(written.exemplar_images)
    crop = network["preprocessing"]["crop"]
    layers = [
        layer_entry(layer, LayerShape(**network["layers"][layer]), crop, atlases, read_zero_share(task, layer))
        for layer, atlases in entries.items()
    ]
    return layers, np.unique(np.concatenate(exemplar_images)), whole


def _write_atlas(task: Task, data: Path, atlas: AtlasData) -> Written:
    """Write the data of one atlas."""
    source = read_atlas(task, atlas.layer, atlas.name, list(atlas.own.levels))
    names = atlas.names(source)
    for name, content in atlas.files(source, names):
        _write_data(data, f"{atlas.layer}/{atlas.name}/{name}", content)
    metrics = {str(level.size): names.metrics(level.grid) for level in source.levels}
    return Written(atlas.entry(source), atlas.exemplar_images(source), names, metrics)


def _write_images(task: Task, data: Path, network: Mapping[str, Any], rows: Rows) -> None:
    """Store the network's crop of each exemplar's image once, and the lists of all images."""
    if not task.params.site.exemplars:
        return
    image_set = open_image_set(task.params.images)
    images = ManifestImages(read_manifest(task.path(a.IMAGES)), image_set, task.params.prepare.max_pixels)
    preprocessing = PreprocessingSettings.model_validate(network["preprocessing"], strict=False)
    for row in tracked([int(row) for row in rows], "exemplar images", len(rows), "image"):
        path = data / "images" / thumbnail_path(row)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_thumbnail(network_crop(images.load(row), preprocessing), task.params.site.image_size))
    for number, content in image_lists(images.manifest, image_set.classes, network["classes"], set(rows.tolist())):
        _write_data(data, f"images/{number}", content)


def _write_data(data: Path, name: str, content: Mapping[str, Any]) -> None:
    path = data / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data_script(name, content), encoding="ascii")


def _report(task: Task, site: Path, layers: list[dict[str, Any]], images: int, naming: dict[str, Any]) -> None:
    files = [path for path in (site / "data").rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    levels = [level for layer in layers for atlas in layer["atlases"] for level in atlas["levels"]]
    cells = sum(level["drawn"] for level in levels)
    task.write_metrics(
        {
            "layers": len(layers),
            "levels": len(levels),
            "drawn_cells": cells,
            "images": images,
            "data_bytes": size,
            "names": naming,
        }
    )
    log_line(
        f"site: {counted(len(layers), 'layer')}, {counted(len(task.params.atlases), 'atlas', 'atlases')} at each, "
        f"{counted(len(levels), 'level')}, {counted(cells, 'drawn cell')}, {counted(images, 'exemplar image')}; "
        f"{size / 1e6:.1f} MB of data in {counted(len(files), 'file')}; open {site / 'index.html'}"
    )
