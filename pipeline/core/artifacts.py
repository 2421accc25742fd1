"""The data model: path, version and arrays of every artifact.

Raise an artifact's version when the meaning of its bytes changes, and describe the change beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline import __version__

KEY_BYTES = 32  # of an icon's key: SHA-256


@dataclass(frozen=True)
class Array:
    """One array of a Zarr artifact: its dimension names, number type (as readers get it), meaning and unit."""

    dims: tuple[str, ...]
    dtype: str
    meaning: str
    unit: str


@dataclass(frozen=True)
class Artifact:
    """What a stage writes, at ``outputs/<pattern>`` with ``layer``, ``atlas`` and ``method`` filled in."""

    name: str
    pattern: str
    version: int = 1
    arrays: Mapping[str, Array] = field(default_factory=dict)

    def path(
        self, outputs: Path, layer: str | None = None, atlas: str | None = None, method: str | None = None
    ) -> Path:
        """Path of the artifact of this layer, atlas and method."""
        return outputs / self.pattern.format(layer=layer, atlas=atlas, method=method)

    def attributes(self, settings: Mapping[str, Any], made_from: Mapping[str, str]) -> dict[str, Any]:
        """Attributes of every stored artifact.

        Args:
            settings: that can change the artifact.
            made_from: identities of the artifacts it was computed from, by artifact name.
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
# version 2: a layer is one call of a module, named path:1 where a module is called several times, before all calls were
# one layer; the format of an output is measured; a layer has `suffix`, the tokens after the patch grid
MODEL = Artifact("model", "model", version=2)
# networks of the same architecture with other weights; see pipeline.model.checkpoints
CHECKPOINTS = Artifact("checkpoints", "checkpoints")

# version 3: attributions compare with the layer's mean where sample.baseline=mean, which `baseline` holds; before, with
# zero always. With sample.integration_steps they are integrated from the baseline.
# version 2: activations and attributions are stored as float16, or as float32 with sample.storage=float32, and readers
# get float32; shards hold whole batches; the sums of the stage `sample` are in the attribute `tally`
ACTIVATIONS = Artifact(
    "activations",
    "activations/{layer}.zarr",
    version=3,
    arrays={
        "activation": Array(("sample", "channel"), "float32", "output of the layer at the sample", "raw activation"),
        "attribution": Array(
            ("sample", "class"), "float32", "(activation - baseline) · ∂logit/∂activation, one per class", "logit"
        ),
        "baseline": Array(
            ("channel",), "float32", "mean activation that attributions compare with; none: zero", "raw activation"
        ),
        "prediction": Array(
            ("sample",),
            "int32",
            "class with the largest logit for the image; none without attributions",
            "class",
        ),
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

# One group per level, named by its number of cells per side; `mean` is at the root.
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
        "spread": Array(("cell",), "float32", "mean of 1 - centered cosine(sample, cell mean)", "0..2"),
        "reliability": Array(
            ("cell",), "float32", "centered cosine of the means of two image-disjoint halves, NaN without both", "-1..1"
        ),
        "exemplar": Array(
            ("cell", "rank"), "int64", "rows in activations nearest to the mean, from different images, -1: none", "row"
        ),
    },
)

# One group per level, with the drawn cells only, for the first of the styles that the attribute `styles` lists; each
# further style has a group of its own, named after it, with the same groups: see pipeline.core.icon_styles.
# Where a judge is set, a level's attribute `recognized` is the share of icons that it assigns to their own cell.
# The level render.large_level has large icons too.
# version 2: icons have a style. Before, the setting render.start told what all of them started from.
ICONS = Artifact(
    "icons",
    "icons/{layer}/{atlas}.zarr",
    version=2,
    arrays={
        "cell": Array(("icon",), "int64", "index into the grid's cells of the level", "row"),
        "icon": Array(("icon", "y", "x", "color"), "uint8", "the rendered icon, sRGB", "0..255"),
        "fidelity": Array(
            ("icon",), "float32", "mean cosine to the cell's mean activation over held-out transforms", "-1..1"
        ),
        "fidelity_centred": Array(
            ("icon",), "float32", "the same after subtracting the layer's mean from both", "-1..1"
        ),
        "legibility": Array(
            ("icon",), "float32", "share of the other cells that look less like it to the judge, NaN: unknown", "0..1"
        ),
        "large": Array(("icon", "y", "x", "color"), "uint8", "the icon on a larger canvas, sRGB", "0..255"),
        "large_fidelity_centred": Array(
            ("icon",), "float32", "centered fidelity of the large icon at the icon's size, NaN: not rendered", "-1..1"
        ),
        "large_key": Array(
            ("icon", "byte"), "uint8", "SHA-256 key of the large icon in the cache, 0: not rendered", "0..255"
        ),
        "key": Array(("icon", "byte"), "uint8", "SHA-256 key of the icon in the cache, 0: not rendered", "0..255"),
        "parent": Array(
            ("icon", "byte"),
            "uint8",
            "key of the icon or SHA-256 of the patch that it was started from, 0: noise",
            "0..255",
        ),
    },
)

TILES = Artifact("tiles", "site/tiles/{layer}/{atlas}")
SITE = Artifact("site", "site")

# Folders beside the site's data; its pages load them by name.
PATCH = Artifact("patch", "site/patch/{layer}/{atlas}")
PREDICT = Artifact("predict", "site/predict/{layer}")
PLACE = Artifact("place", "site/place/{layer}")
UNITS = Artifact("units", "site/units/{layer}")
EXPLAIN = Artifact("explain", "site/explain/{layer}")
SYNTHESIZE = Artifact("synthesize", "site/synthesize/{method}")

# The heat maps in numbers: one group per method, named method or method@layer, with the array `heatmap`.
HEATMAPS = Artifact(
    "heatmaps",
    "heatmaps/{layer}.zarr",
    arrays={
        "image": Array(("row",), "int64", "row of the image in images.parquet", "row"),
        "unit": Array(("row",), "int64", "class or channel that is explained", "index"),
        "heatmap": Array(("row", "y", "x"), "float32", "heat map, in the resolution that its method has", "score"),
    },
)
