"""Icons: the rendered cells of a grid level, in rows as they are stored."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core import zarr_store
from pipeline.core.artifacts import ICONS, KEY_BYTES
from pipeline.featurevis.cache import CachedImage

Floats = NDArray[np.float32]

BLANK = 255  # an icon that failed is white, as empty cells are, and its fidelity is NaN


@dataclass(frozen=True, eq=False)
class Icon:
    """A valid icon.

    Attributes:
        key: in the image cache.
        mean: the raw mean activation that it was rendered for, [channel].
        cached: the image and its scores.
        parent: key of the icon that it started from; None started from noise.
    """

    key: str
    mean: Floats
    cached: CachedImage
    parent: str | None = None


@dataclass(frozen=True)
class IconArrays:
    """The icons of one grid level, as they are stored and measured.

    Attributes:
        icon: uint8 [icon, y, x, 3].
        fidelity: [icon], NaN where the icon failed.
        fidelity_centred: [icon], likewise.
        activation: [icon, channel], mean raw activation over the held-out transforms, likewise.
        key: uint8 [icon, 32], key in the image cache; zeros where the icon failed.
        parent: uint8 [icon, 32], key of the icon that it started from; zeros for noise.
        retried: icons that got a second attempt.
    """

    icon: NDArray[np.uint8]
    fidelity: Floats
    fidelity_centred: Floats
    activation: Floats
    key: NDArray[np.uint8]
    parent: NDArray[np.uint8]
    retried: int


def icon_arrays(icons: Mapping[int, Icon], retried: int, means: Floats, size: int) -> IconArrays:
    """The icons of a level in rows.

    Args:
        icons: the valid ones, by row.
        retried: see :class:`IconArrays`.
        means: of all rendered cells, [cell, channel].
        size: side of the icons, pixels.
    """
    count = len(means)
    arrays = IconArrays(
        icon=np.full((count, size, size, 3), BLANK, np.uint8),
        fidelity=np.full(count, np.nan, np.float32),
        fidelity_centred=np.full(count, np.nan, np.float32),
        activation=np.full_like(means, np.nan),
        key=np.zeros((count, KEY_BYTES), np.uint8),
        parent=np.zeros((count, KEY_BYTES), np.uint8),
        retried=retried,
    )
    for row, icon in icons.items():
        arrays.icon[row] = icon.cached.image
        arrays.fidelity[row] = icon.cached.scores["fidelity"]
        arrays.fidelity_centred[row] = icon.cached.scores["fidelity_centred"]
        arrays.activation[row] = icon.cached.activation
        arrays.key[row] = _bytes(icon.key)
        arrays.parent[row] = _bytes(icon.parent) if icon.parent else 0
    return arrays


def write_icons(level: zarr.Group, rows: NDArray[np.intp], icons: IconArrays) -> None:
    """Write the icons of a level.

    Args:
        level: group of the artifact.
        rows: of their cells in the grid, [icon].
        icons: in the same order.
    """
    zarr_store.write_array(level, ICONS, "cell", rows)
    zarr_store.write_array(level, ICONS, "icon", icons.icon)
    zarr_store.write_array(level, ICONS, "fidelity", icons.fidelity)
    zarr_store.write_array(level, ICONS, "fidelity_centred", icons.fidelity_centred)
    zarr_store.write_array(level, ICONS, "key", icons.key)
    zarr_store.write_array(level, ICONS, "parent", icons.parent)


def _bytes(key: str) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(key), np.uint8)
