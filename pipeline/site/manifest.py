"""What the page loads first: the network, its layers and their levels."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline import __version__
from pipeline.images.thumbnails import IMAGES_PER_FOLDER
from pipeline.model.layers import LayerShape
from pipeline.site.exemplars import patch

FORMAT = 1


def layer_entry(
    name: str, shape: LayerShape, crop: int, atlases: Sequence[Mapping[str, Any]], zero_share: float | None
) -> dict[str, Any]:
    """A layer as the manifest lists it.

    Args:
        name: dotted module path.
        shape: of its map.
        crop: side of the network's input, pixels.
        atlases: its atlases' entries.
        zero_share: share of its samples' attributions that are exactly zero, None where it is not known.
    """
    seen = patch(shape.receptive_field, crop)
    return {
        "name": name,
        "channels": shape.channels,
        "map": [shape.height, shape.width],
        "receptive_field": shape.receptive_field,
        "patch": {"side": seen.side, "limited": seen.limited},
        "zero_share": zero_share,
        "atlases": list(atlases),
    }


def atlas_entry(
    name: str, levels: Sequence[Mapping[str, Any]], tiles: Mapping[str, Any], heat: Mapping[str, Any] | None
) -> dict[str, Any]:
    """An atlas as the manifest lists it.

    Args:
        name: ``all`` or another choice of samples.
        levels: its levels' entries, coarse to fine.
        tiles: what the stage ``tile`` says of its files: ``format``, ``tile_size``, ``overlap``.
        heat: ``levels`` that have heat planes, their ``scale`` in logits and the layer's ``strength``; None without
            attributions.
    """
    form = {key: tiles[key] for key in ("format", "tile_size", "overlap")}
    return {"name": name, "levels": list(levels), "tiles": form, "heat": heat}


def manifest(
    title: str,
    network: Mapping[str, Any],
    layers: Sequence[Mapping[str, Any]],
    images: int,
    exemplars: int,
    second: str | None,
    made: Mapping[str, Any],
) -> dict[str, Any]:
    """The whole manifest.

    Args:
        title: heading of the page.
        network: the saved network's description.
        layers: the layers' entries.
        images: images the atlas was made from.
        exemplars: patches shown for a cell.
        second: title of the image set that is placed on the atlas, if there is one.
        made: how the atlases were made, see :func:`pipeline.site.made.how_made`.
    """
    return {
        "format": FORMAT,
        "version": __version__,
        "title": title,
        "network": {
            "name": network["name"],
            "classes": list(network["classes"]),
            "crop": network["preprocessing"]["crop"],
        },
        "layers": list(layers),
        "images": images,
        "images_per_folder": IMAGES_PER_FOLDER,
        "exemplars": exemplars,
        "made": dict(made),
        "second": None if second is None else {"title": second},
    }
