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
from pipeline.images.crops import CropSize, network_crop
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import ManifestImages, read_manifest
from pipeline.images.thumbnails import encode_thumbnail, image_lists, thumbnail_path
from pipeline.model.description import LayerShape, NetworkDescription, read_description, unit_counts
from pipeline.site.atlas_data import AtlasData, Run
from pipeline.site.channels import FILE as CHANNELS
from pipeline.site.initial_layer import initial_layer
from pipeline.site.manifest import layer_entry, manifest, provenance_content, recorded_content
from pipeline.site.names import AtlasNames
from pipeline.site.pages import PAGES, page, viewer_files
from pipeline.site.photographs import FOLDER, PhotographLevel, Photographs, photograph_level
from pipeline.site.read_artifacts import (
    AtlasSource,
    read_atlas,
    read_channel_scale,
    read_class_profiles,
    read_sample_cells,
    read_zero_share,
)
from pipeline.site.regions import FINEST
from pipeline.site.tile_scripts import write_tile_scripts
from pipeline.site.tour import automatic_tour, given_bookmarks
from pipeline.stages import Task

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Written:
    """What is known of an atlas once its data files are written.

    Attributes:
        source: its artifacts.
        entry: its entry in the manifest.
        exemplar_images: rows of the images that its exemplars come from.
        names: what supports the names of its cells.
        metrics: by level, of these names.
    """

    source: AtlasSource
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
        layers, rows, photographs, whole = _write_layers(task, data, network, images.class_)
        _write_images(task, data, network, rows, photographs)
        second = task.params.place.title if task.params.placed else None
        provenance = provenance_content(task, network, images)
        recorded = recorded_content(task, images, provenance)
        settings = task.params.site
        if settings.png_from_disk:
            _write_tile_scripts(site, data, layers)
        content = manifest(
            title,
            network,
            layers,
            len(images),
            settings.exemplars,
            settings.png_from_disk,
            second,
            opened,
            _units(task, network),
            task.params.explained_layers,
            task.params.syntheses,
            provenance,
            recorded,
        )
        _write_data(data, "manifest", content)
        names = {layer: written.names.cells for layer, written in whole.items()}
        stops = given or automatic_tour(task, network, len(images), opened, names)
        _write_data(data, "bookmarks", {"automatic": not given, "bookmarks": stops})
    with atomic(site / "viewer") as folder:
        folder.mkdir()
        for name, source in viewer.items():
            (folder / name).write_bytes(source)
    subject = f"Network: {network['name']}. Layers: {len(layers)}. Images: {len(images):,}."
    for file, script in PAGES.items():
        with atomic(site / file) as partial:
            partial.write_text(page(title, script, subject), encoding="utf-8")
    _report(task, site, layers, len(rows), {layer: written.metrics for layer, written in whole.items()})


def _units(task: Task, network: Mapping[str, Any]) -> dict[str, list[int]]:
    """The channels that have a page of their own, by layer."""
    counts = unit_counts(NetworkDescription.of(network).layers, len(network["classes"]))
    return {layer: task.params.units.chosen_channels(layer, counts[layer]) for layer in task.params.unit_layers}


def _write_layers(
    task: Task, data: Path, network: Mapping[str, Any], label: Rows
) -> tuple[list[dict[str, Any]], Rows, list[PhotographLevel], dict[str, Written]]:
    """Write the data of every atlas.

    Returns:
        The layers' entries, the rows of all exemplars' images, the photographs of all levels, and by layer what is
        known of its atlas of all samples.
    """
    names, classes = task.params.layers, len(network["classes"])
    run = Run(task.params.site, task.params.seed, label, classes, read_class_profiles(task, label, classes, FINEST))
    entries: dict[str, list[dict[str, Any]]] = {layer: [] for layer in names}
    shapes = {layer: LayerShape(**network["layers"][layer]) for layer in names}
    scales = {layer: read_channel_scale(task, layer) for layer in names}
    for layer, scale in scales.items():
        _write_data(data, f"{layer}/{CHANNELS}", scale.content())
    crop = network["preprocessing"]["crop"]
    exemplar_images: list[Rows] = []
    photographs: list[PhotographLevel] = []
    whole: dict[str, Written] = {}
    for atlas in tracked(task.params.atlases, "cells", len(task.params.atlases), "atlas"):
        levels = task.params.grid.for_atlas(atlas)
        sample_cells = {layer: read_sample_cells(task, layer, atlas, levels) for layer in names}
        for layer in names:
            own = AtlasData(
                layer, atlas, sample_cells, CropSize(shapes[layer].receptive_field, crop), run, scales[layer]
            )
            written = _write_atlas(task, data, own)
            photographs += [
                photograph_level(f"{layer}/{atlas}/{FOLDER}", level, written.source, shapes[layer], crop)
                for level in (written.source.levels if run.settings.exemplars else ())
                if level.grid.drawn.any()
            ]
            entries[layer].append(written.entry)
            whole |= {layer: written} if atlas == "all" else {}
            exemplar_images.append(written.exemplar_images)
    layers = [
        layer_entry(layer, shapes[layer], crop, atlases, read_zero_share(task, layer))
        for layer, atlases in entries.items()
    ]
    return layers, np.unique(np.concatenate(exemplar_images)), photographs, whole


def _write_atlas(task: Task, data: Path, atlas: AtlasData) -> Written:
    """Write the data of one atlas."""
    source = read_atlas(task, atlas.layer, atlas.name, list(atlas.own.levels))
    names = atlas.names(source)
    for name, content in atlas.files(source, names):
        _write_data(data, f"{atlas.layer}/{atlas.name}/{name}", content)
    metrics = {str(level.size): names.metrics(level.grid) for level in source.levels}
    return Written(source, atlas.entry(source), atlas.exemplar_images(source), names, metrics)


def _write_images(
    task: Task, data: Path, network: Mapping[str, Any], rows: Rows, levels: list[PhotographLevel]
) -> None:
    """Store the network's crop of each exemplar's image once, all levels' photographs, and the lists of images."""
    if not task.params.site.exemplars:
        return
    image_set = open_image_set(task.params.images)
    images = ManifestImages(read_manifest(task.path(a.IMAGES)), image_set, task.params.prepare.max_pixels)
    preprocessing = PreprocessingSettings.model_validate(network["preprocessing"], strict=False)
    photographs = Photographs(data, levels)
    for row in tracked([int(row) for row in rows], "exemplar images", len(rows), "image"):
        path = data / "images" / thumbnail_path(row)
        path.parent.mkdir(parents=True, exist_ok=True)
        seen = network_crop(images.load(row), preprocessing)
        path.write_bytes(encode_thumbnail(seen, task.params.site.image_size))
        photographs.add(row, seen)
    photographs.write()
    for number, content in image_lists(images.manifest, image_set.classes, network["classes"], set(rows.tolist())):
        _write_data(data, f"images/{number}", content)


def _write_tile_scripts(site: Path, data: Path, layers: list[dict[str, Any]]) -> None:
    """Write the tiles of all icons and photographs as scripts too."""
    for layer, atlas in ((entry["name"], atlas) for entry in layers for atlas in entry["atlases"]):
        icons = [f"tiles/{layer}/{atlas['name']}"]
        icons += [f"{icons[0]}/{style}" for style in atlas["styles"][1:]]
        for level in atlas["levels"]:
            for folder in icons:
                write_tile_scripts(site, f"{folder}/{level['size']}_files", level["width"], data)
            if side := level["size"] * level.get("photograph", 0):
                pyramid = f"{layer}/{atlas['name']}/{FOLDER}/{level['size']}_files"
                write_tile_scripts(data, pyramid, side, data)


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
