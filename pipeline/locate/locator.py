"""An image of the user's own through the run's network: its top classes, and the cells that its positions fall in.

The image is decoded, resized, cropped and normalized as the stage ``sample`` does with those of the image set, and the
layer is recorded in one forward pass. The positions are those that ``sample`` may choose: where it leaves out a border
of the map, so does this.
"""

import base64
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pipeline.config.params import Params, load_params
from pipeline.core import artifacts as a
from pipeline.core import zarr_store
from pipeline.core.errors import ArtifactError, BusyError, ConfigError, ImageError
from pipeline.core.nearest_cells import NearestCells, nearest_cells
from pipeline.images.crops import network_crop
from pipeline.images.decode import load, open_content
from pipeline.images.thumbnails import encode_thumbnail
from pipeline.model.description import read_description
from pipeline.model.inputs import to_tensor
from pipeline.model.layers import number_type, on_calls, require_layer
from pipeline.model.network import Network, load_network
from pipeline.model.positions import interior, require_finite

DEVICE = "cpu"  # one image at a time; a server that waits holds no memory of a GPU
TOP_CLASSES = 5
LONGEST_SIDE = 448  # of the picture that is sent back, pixels
WAIT_SECONDS = 120.0  # for an earlier image
DECIMALS = 4


@dataclass(frozen=True)
class View:
    """What of the run is shown: a layer, an atlas and one of its grid levels, by cells a side."""

    layer: str
    atlas: str
    level: int


@dataclass(frozen=True, eq=False)
class _Pass:
    """One forward pass.

    Attributes:
        activation: of the positions [position, channel], in reading order.
        map_size: rows and columns of the layer's map.
        inset: rows and columns left out at each of its sides.
        logits: [class], None for a network without classes.
    """

    activation: NDArray[np.float32]
    map_size: tuple[int, int]
    inset: tuple[int, int]
    logits: Tensor | None


class Locator:
    """The network of a finished run, loaded with the first image and again when ``prepare`` has made another one."""

    def __init__(self, params: Path, outputs: Path) -> None:
        """Of a run; nothing is read yet.

        Args:
            params: its composed configuration, ``params.yaml``.
            outputs: folder of its artifacts.
        """
        self._params, self._outputs = params, outputs
        self._lock = threading.Lock()
        self._network: Network | None = None
        self._identity = ""

    def locate(self, content: bytes, view: View) -> dict[str, Any]:
        """Where an image falls; called from any thread, and done for one image at a time.

        Args:
            content: of an image file.
            view: of the run.

        Returns:
            As JSON takes it: ``picture`` (what the network sees, a data URL), ``classes`` (``id``, ``name`` and
            ``probability`` of the first ones; None without classes), ``map`` (rows and columns of the layer's map),
            ``inset`` (rows and columns left out at each side), and for each of the other positions in reading order
            ``cell`` (row, column) and ``similarity``, see :func:`pipeline.core.nearest_cells.nearest_cells`.

        Raises:
            AtlasError: the image cannot be used, the run has no such view, an artifact is missing or damaged, or the
                server is busy.
        """
        if not self._lock.acquire(timeout=WAIT_SECONDS):
            raise BusyError(f"image: expected the earlier image to take less than {WAIT_SECONDS:.0f} s; try again")
        try:
            return self._locate(content, view)
        finally:
            self._lock.release()

    def _locate(self, content: bytes, view: View) -> dict[str, Any]:
        params = load_params(self._params)
        _check(params, view)
        image = _decode(content, params)
        network = self._loaded()
        _require_same_network(self._outputs, view, self._identity)
        crop = network_crop(_resizable(image, network, params), network.preprocessing)
        passed = _forward(network, crop, view.layer, params)
        cells, found = _place(self._outputs, view, passed.activation)
        return {
            "picture": _data_url(crop),
            "classes": None if passed.logits is None else _top_classes(passed.logits, network.classes),
            "map": list(passed.map_size),
            "inset": list(passed.inset),
            "cell": cells[found.cell].tolist(),
            "similarity": [round(value, DECIMALS) for value in found.similarity.tolist()],
        }

    def _loaded(self) -> Network:
        folder = a.MODEL.path(self._outputs)
        identity = str(read_description(folder)["identity"])
        if self._network is None or identity != self._identity:
            self._network = None  # frees its memory first
            self._network, self._identity = load_network(folder, DEVICE), identity
        return self._network


def _check(params: Params, view: View) -> None:
    """Raise ConfigError unless the run has the layer and the atlas; its artifacts are looked for by these names."""
    if view.layer not in params.layers:
        raise ConfigError(f"layer: expected one of {', '.join(params.layers)}, found {view.layer}")
    if view.atlas not in params.atlases:
        raise ConfigError(f"atlas: expected one of {', '.join(params.atlases)}, found {view.atlas}")


def _decode(content: bytes, params: Params) -> Image.Image:
    """The image, upright and RGB, within the limits of those of the image set."""
    image = load(lambda: open_content(content), params.prepare.max_pixels)
    if min(image.size) < params.prepare.min_side:
        raise ImageError(
            f"expected sides of at least {params.prepare.min_side} pixels, found {image.width} x {image.height}"
        )
    return image


def _resizable(image: Image.Image, network: Network, params: Params) -> Image.Image:
    """The image; a long and narrow one would have too many pixels when its shorter side has the network's size."""
    (short, long), side = sorted(image.size), max(network.preprocessing.resize or 0, network.preprocessing.crop)
    if side > short and side * side * long // short > params.prepare.max_pixels:
        raise ImageError(
            f"expected at most {params.prepare.max_pixels:,} pixels when the shorter side has {side}, found "
            f"{image.width} x {image.height}; crop it"
        )
    return image


def _require_same_network(outputs: Path, view: View, identity: str) -> None:
    """Raise ArtifactError if the layer's activations are those of another network."""
    path = a.ACTIVATIONS.path(outputs, view.layer)
    made_from = zarr_store.open_artifact(a.ACTIVATIONS, path).attrs.get("made_from")
    if not isinstance(made_from, dict) or made_from.get(a.MODEL.name) != identity:
        raise ArtifactError(
            f"{path}: expected activations of the saved network, found another's; run 'atlas run' again"
        )


def _forward(network: Network, crop: Image.Image, layer: str, params: Params) -> _Pass:
    """Run the whole network once and record the layer on the way."""
    shape, recorded = require_layer(layer, network.layers), []
    inputs = to_tensor(crop, network.preprocessing)[None]
    with (
        torch.no_grad(),
        number_type(DEVICE, params.sample.dtype),
        on_calls(network.module, [layer], lambda _name, output: recorded.append(output.clone())),
    ):
        output = network.module(inputs)
    grid = shape.to_map(recorded[0])
    inner = interior(grid, params.sample.border)
    activation = inner[0].flatten(1).movedim(0, 1).float().numpy()
    require_finite(layer, activation)
    (rows, columns), (inner_rows, inner_columns) = grid.shape[2:], inner.shape[2:]
    inset = ((rows - inner_rows) // 2, (columns - inner_columns) // 2)
    return _Pass(activation, (rows, columns), inset, output[0].float() if network.classes else None)


def _place(outputs: Path, view: View, activation: NDArray[np.float32]) -> tuple[NDArray[np.int64], NearestCells]:
    """The drawn cells of the level as (row, column) [cell, 2], and the nearest of them for each activation."""
    path = a.GRID.path(outputs, view.layer, view.atlas)
    grid = zarr_store.open_artifact(a.GRID, path)
    level = zarr_store.level(grid, view.level)
    drawn = np.flatnonzero(np.asarray(zarr_store.array(level, "drawn")[...]))
    if not len(drawn):
        raise ArtifactError(
            f"{path}: expected a level with icons, found none at level {view.level}; choose another one"
        )
    means = zarr_store.read_rows(zarr_store.array(level, "activation"), drawn)
    center = np.asarray(zarr_store.array(grid, "mean")[...])
    cells = np.asarray(zarr_store.array(level, "cell")[...], np.int64)[drawn]
    return cells, nearest_cells(activation, means, center)


def _top_classes(logits: Tensor, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """The classes with the largest probabilities, largest first."""
    probabilities, ids = torch.softmax(logits, 0).topk(min(TOP_CLASSES, len(names)))
    return [
        {"id": number, "name": names[number], "probability": round(probability, DECIMALS)}
        for number, probability in zip(ids.tolist(), probabilities.tolist(), strict=True)
    ]


def _data_url(crop: Image.Image) -> str:
    return f"data:image/webp;base64,{base64.b64encode(encode_thumbnail(crop, LONGEST_SIDE)).decode('ascii')}"
