"""Samples and exemplars on scenes of toytown, for stages that cut the exemplars' patches."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.core.artifacts import ACTIVATIONS, IMAGES
from pipeline.core.zarr_store import create, write_array
from pipeline.images.manifest import Manifest, write_manifest

IMAGES_PLANTED = 6  # the first scenes of the default image set
MAP_SIDE = 4


def plant_samples(outputs: Path, layer: str, activations: NDArray[np.float32]) -> None:
    """The manifest of some scenes, and activations whose samples lie in them."""
    numbers = np.arange(IMAGES_PLANTED)
    keys, sides = tuple(f"{number:05d}" for number in numbers), np.full(IMAGES_PLANTED, 64)
    manifest = Manifest(numbers, keys, numbers % 10, numbers % 5, sides, sides, tuple(f"{n:064x}" for n in numbers))
    write_manifest(IMAGES.path(outputs), manifest, {}, {})
    rows = np.arange(len(activations))
    with create(ACTIVATIONS, ACTIVATIONS.path(outputs, layer), {}, {}) as group:
        write_array(group, ACTIVATIONS, "activation", activations)
        write_array(group, ACTIVATIONS, "image", rows % IMAGES_PLANTED)
        write_array(group, ACTIVATIONS, "position", np.stack([rows % MAP_SIDE, rows // 7 % MAP_SIDE], 1))


def exemplars(cells: int, samples: int) -> NDArray[np.int64]:
    """Two exemplars for each cell but one for every third, [cell, 2]."""
    rows = np.arange(2 * cells).reshape(cells, 2) * 5 % samples
    rows[::3, 1] = -1
    return rows
