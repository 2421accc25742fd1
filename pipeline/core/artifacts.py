"""The data model: every artifact's place, version and arrays, in one file.

An artifact's version rises when its bytes change their meaning; the history stands beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline import __version__

KEY_BYTES = 32  # of an icon's name: SHA-256


@dataclass(frozen=True)
class Array:
    """One array of a Zarr artifact: its named dimensions, number type (as readers get it) and meaning."""

    dims: tuple[str, ...]
    dtype: str
    meaning: str
    unit: str


@dataclass(frozen=True)
class Artifact:
    """Something a stage writes, found under ``outputs/`` at ``pattern`` (filled with ``layer`` and ``atlas``)."""

    name: str
    pattern: str
    version: int = 1
    arrays: Mapping[str, Array] = field(default_factory=dict)

    def path(self, outputs: Path, layer: str | None = None, atlas: str | None = None) -> Path:
        """Where the artifact of this layer and atlas lies below ``outputs``."""
        return outputs / self.pattern.format(layer=layer, atlas=atlas)

    def attributes(self, settings: Mapping[str, Any], made_from: Mapping[str, str]) -> dict[str, Any]:
        """What every stored artifact says of itself.

        Args:
            settings: the settings it is made with.
            made_from: the identities of what it is made from, by artifact name.
        """
        return {
            "artifact": self.name,
            "artifact_version": self.version,
            "project_version": __version__,
            "settings": dict(settings),
            "made_from": dict(made_from),
        }


IMAGES = Artifact("images", "images.parquet")
REJECTED = Artifact("rejected", "rejected.parquet")
MODEL = Artifact("model", "model")

# version 2: activations and attributions lie on the disk as float16, unless sample.storage asks for float32, and are
# float32 to every reader; shards hold whole batches; the sums of the stage `sample` are in the attribute `tally`
ACTIVATIONS = Artifact(
    "activations",
    "activations/{layer}.zarr",
    version=2,
    arrays={
        "activation": Array(("sample", "channel"), "float32", "output of the layer at the sample", "raw activation"),
        "attribution": Array(("sample", "class"), "float32", "activation · ∂logit/∂activation, one per class", "logit"),
        "image": Array(("sample",), "int64", "row of the image in images.parquet", "row"),
        "position": Array(("sample", "axis"), "int32", "(y, x) of the sample in the layer's map", "map position"),
    },
)

LAYOUT = Artifact(
    "layout",
    "layout/{layer}/{atlas}.zarr",
    arrays={
        "sample": Array(("point",), "int64", "row of the sample in activations", "row"),
        "xy": Array(("point", "axis"), "float32", "(x, y): x to the right, y downwards", "0..1"),
    },
)

# One group per level, named by its number of cells a side; `mean` stands at the root.
GRID = Artifact(
    "grid",
    "grid/{layer}/{atlas}.zarr",
    arrays={
        "mean": Array(("channel",), "float32", "mean activation of the whole layer", "raw activation"),
        "cell": Array(("cell", "axis"), "int32", "(row, column) of each occupied cell", "cells from the top left"),
        "count": Array(("cell",), "int64", "samples in the cell", "samples"),
        "drawn": Array(("cell",), "bool", "the cell has at least min_count samples", "yes or no"),
        "activation": Array(("cell", "channel"), "float32", "mean activation of the cell", "raw activation"),
        "attribution": Array(("cell", "class"), "float32", "mean attribution of the cell", "logit"),
        "spread": Array(("cell",), "float32", "mean of 1 - centred cosine(sample, cell mean)", "0..2"),
        "reliability": Array(
            ("cell",), "float32", "centred cosine of the means of two image-disjoint halves, NaN without both", "-1..1"
        ),
        "exemplar": Array(
            ("cell", "rank"), "int64", "rows in activations nearest to the mean, from different images, -1: none", "row"
        ),
    },
)

# One group per level, holding the drawn cells only. Icons of earlier versions of the project lack `key` and `parent`.
ICONS = Artifact(
    "icons",
    "icons/{layer}/{atlas}.zarr",
    arrays={
        "cell": Array(("icon",), "int64", "index into the grid's cells of the level", "row"),
        "icon": Array(("icon", "y", "x", "colour"), "uint8", "the drawn icon, sRGB", "0..255"),
        "fidelity": Array(("icon",), "float32", "mean cosine to the cell's mean activation, held-out views", "-1..1"),
        "fidelity_centred": Array(
            ("icon",), "float32", "the same after subtracting the layer's mean from both", "-1..1"
        ),
        "key": Array(
            ("icon", "byte"), "uint8", "SHA-256 by which the icon cache knows the icon, 0: not drawn", "0..255"
        ),
        "parent": Array(("icon", "byte"), "uint8", "key of the icon that it was drawn from, 0: from noise", "0..255"),
    },
)

TILES = Artifact("tiles", "site/tiles/{layer}/{atlas}")
SITE = Artifact("site", "site")

# Folders beside the site's data that its pages load by name.
PATCH = Artifact("patch", "site/patch/{layer}/{atlas}")
PREDICT = Artifact("predict", "site/predict/{layer}")
PLACE = Artifact("place", "site/place/{layer}")
