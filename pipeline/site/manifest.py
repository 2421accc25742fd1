"""The manifest, which the page loads first: the network, its layers, their atlases and levels, and their provenance."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import __version__
from pipeline.core import artifacts as a
from pipeline.core.artifacts import Artifact
from pipeline.core.grid_levels import GridLevel
from pipeline.core.zarr_store import open_artifact
from pipeline.images.crops import CropSize
from pipeline.images.manifest import Manifest, manifest_attributes
from pipeline.images.thumbnails import IMAGES_PER_FOLDER
from pipeline.model.description import LayerShape
from pipeline.site.pages import DATA_FORMAT
from pipeline.site.published_settings import published_arguments, published_settings
from pipeline.site.read_artifacts import read_tiles
from pipeline.site.verdict import count_doubts, verdict_content
from pipeline.stages import Task

Content = dict[str, Any]

KINDS = (a.ACTIVATIONS, a.LAYOUT, a.GRID, a.ICONS)


def layer_entry(
    name: str, shape: LayerShape, crop: int, atlases: Sequence[Mapping[str, Any]], zero_share: float | None
) -> Content:
    """A layer's entry.

    Args:
        name: dotted module path.
        shape: of its map.
        crop: side of the network's input, pixels.
        atlases: its atlases' entries.
        zero_share: share of its samples' attributions that are exactly zero, None where it is not known.
    """
    patch = CropSize(shape.receptive_field, crop)
    return {
        "name": name,
        "channels": shape.channels,
        "map": [shape.height, shape.width],
        "receptive_field": shape.receptive_field,
        "patch": {"side": patch.share, "limited": patch.limited},
        "zero_share": zero_share,
        "atlases": list(atlases),
    }


def atlas_entry(
    name: str, levels: Sequence[Mapping[str, Any]], tiles: Mapping[str, Any], heatmap: Mapping[str, Any] | None
) -> Content:
    """An atlas's entry.

    Args:
        name: ``all`` or another choice of samples.
        levels: its levels' entries, coarse to fine.
        tiles: with ``format``, ``tile_size``, ``overlap``.
        heatmap: ``levels`` that have heatmaps, their ``scale`` in logits and the layer's ``strength``; None without
            attributions.
    """
    form = {key: tiles[key] for key in ("format", "tile_size", "overlap")}
    return {"name": name, "levels": list(levels), "tiles": form, "heatmap": heatmap}


def level_entry(
    level: GridLevel,
    fidelity: NDArray[np.floating],
    width: int,
    height: int,
    large: bool = False,
    photograph: int = 0,
    channels_per_block: int = 0,
) -> Content:
    """A level's entry.

    Args:
        level: its cells.
        fidelity: [cell] centered fidelity of their icons of the first style, NaN without one.
        width: of its image, pixels.
        height: likewise.
        large: the image is made of large icons.
        photograph: side of a cell in the image of photographs, pixels; 0 where there is none.
        channels_per_block: channels whose mean activations share a data file; 0 where the level has none of its own.
    """
    return {
        "size": level.size,
        "width": width,
        "height": height,
        "cells": len(level),
        "drawn": int(level.drawn.sum()),
        "samples": int(level.count.sum()),
        "doubt": count_doubts(
            {"fidelity": fidelity, "reliability": level.reliability, "spread": level.spread}, level.drawn
        ),
        **({"large": True} if large else {}),
        **({"photograph": photograph} if photograph else {}),
        **({"channels_per_block": channels_per_block} if channels_per_block else {}),
    }


def manifest(
    title: str,
    network: Mapping[str, Any],
    layers: Sequence[Mapping[str, Any]],
    images: int,
    exemplars: int,
    png_from_disk: bool,
    second: str | None,
    initial_layer: str,
    units: Mapping[str, Sequence[int]],
    explained: Sequence[str],
    syntheses: Sequence[str],
    provenance: Mapping[str, Any],
    recorded: Mapping[str, bool],
) -> Content:
    """The whole manifest.

    Args:
        title: heading of the page.
        network: the saved network's description.
        layers: the layers' entries.
        images: number of images that the atlas was made from.
        exemplars: exemplars shown for a cell.
        png_from_disk: tiles are stored as scripts too.
        second: title of the second image set on the atlas, if there is one.
        initial_layer: name of the layer that the page opens on.
        units: channels of which single units are described, by layer.
        explained: ``logits`` and the layers whose outputs are explained.
        syntheses: methods by which pictures are synthesized.
        provenance: see :func:`provenance_content`.
        recorded: see :func:`recorded_content`.
    """
    return {
        "format": DATA_FORMAT,
        "version": __version__,
        "title": title,
        "network": {
            "name": network["name"],
            "classes": list(network["classes"]),
            "crop": network["preprocessing"]["crop"],
        },
        "layers": list(layers),
        "initial_layer": initial_layer,
        "units": {layer: list(channels) for layer, channels in units.items()},
        "explain": list(explained),
        "synthesize": list(syntheses),
        "images": images,
        "images_per_folder": IMAGES_PER_FOLDER,
        "exemplars": exemplars,
        "recorded": dict(recorded),
        "verdict": verdict_content(),
        "png_from_disk": png_from_disk,
        "provenance": dict(provenance),
        "second_image_set": None if second is None else {"title": second},
    }


def recorded_content(task: Task, images: Manifest, provenance: Mapping[str, Any]) -> dict[str, bool]:
    """Whether the run has attributions, predictions, labels that are classes of the network, and a judge of its icons.

    Args:
        task: of the stage.
        images: the manifest of the images.
        provenance: see :func:`provenance_content`.
    """
    samples = [open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS, layer)) for layer in task.params.layers]
    return {
        "attributions": any("attribution" in layer for layer in samples),
        "predictions": all("prediction" in layer for layer in samples),
        "labels": bool((images.class_ >= 0).any()),
        "judge": bool(provenance["settings"].get("judge")),
    }


def provenance_content(task: Task, network: Mapping[str, Any], images: Manifest) -> Content:
    """The provenance of every atlas as the page shows it.

    Args:
        task: of the stage.
        network: the saved network's description.
        images: the manifest of the images.

    Returns:
        ``network`` (architecture and digests), ``images`` (identity), ``settings`` by section as the artifacts record
        them and :mod:`pipeline.site.published_settings` allows, ``versions`` of the project that made artifacts, and
        ``identities`` by layer, atlas and artifact.
    """
    everything: list[Mapping[str, Any]] = [manifest_attributes(task.path(a.IMAGES)), network]
    identities: dict[str, dict[str, dict[str, str]]] = {}
    for layer in task.params.layers:
        for atlas in task.params.atlases:
            of_atlas = {kind.name: _attributes(task, kind, layer, atlas) for kind in KINDS}
            of_atlas[a.TILES.name] = read_tiles(task.path(a.TILES, layer, atlas), ())
            everything += of_atlas.values()
            named = {name: str(found["identity"]) for name, found in of_atlas.items() if "identity" in found}
            identities.setdefault(layer, {})[atlas] = named
    return {
        "network": {
            "architecture": published_arguments(network.get("architecture")),
            **{key: network.get(key) for key in ("weights", "identity")},
        },
        "images": images.identity,
        "settings": published_settings(_merge_settings(everything)),
        "versions": sorted({str(found["project_version"]) for found in everything if "project_version" in found}),
        "identities": identities,
    }


def _attributes(task: Task, kind: Artifact, layer: str, atlas: str) -> Content:
    return dict(open_artifact(kind, task.path(kind, layer, atlas)).attrs)


def _merge_settings(everything: list[Mapping[str, Any]]) -> Content:
    """All sections of settings; the atlas of all samples and those of classes each record some that the other lacks."""
    merged: Content = {}
    for found in everything:
        for name, section in found.get("settings", {}).items():
            if isinstance(section, dict):
                merged.setdefault(name, {}).update(section)
            else:
                merged[name] = section
    return merged
