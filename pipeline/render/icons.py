"""Icons: the rendered cells of a grid level, in rows as they are stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

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
        target: what it was rendered for, float32 [channel + statistic].
        cached: the image and its scores.
        parent: key of what it started from, see :class:`Start`; None started from noise.
    """

    key: str
    target: Floats
    cached: CachedImage
    parent: str | None = None


@dataclass(frozen=True, eq=False)
class Start:
    """What an icon starts from instead of noise.

    Attributes:
        key: of the parent's icon in the image cache, or SHA-256 (hex) of a patch's pixels.
        image: uint8 [y, x, 3].
        icon: the parent's; None for a patch.
    """

    key: str
    image: NDArray[np.uint8]
    icon: Icon | None = None


def start_from_icon(icon: Icon | None) -> Start | None:
    """The start of an icon whose parent has this one, if it has."""
    return None if icon is None else Start(icon.key, icon.cached.image, icon)


def start_from_patch(patch: NDArray[np.uint8]) -> Start:
    """The start of an icon from the patch of an exemplar, uint8 [y, x, 3]."""
    return Start(sha256(patch.tobytes()).hexdigest(), patch)


@dataclass(frozen=True)
class IconArrays:
    """The icons of one grid level, as they are stored and measured.

    Attributes:
        icon: uint8 [icon, y, x, 3].
        fidelity: [icon], NaN where the icon failed.
        fidelity_centred: [icon], likewise.
        activation: [icon, channel], mean raw activation over the held-out transforms, likewise.
        key: uint8 [icon, 32], key in the image cache; zeros where the icon failed.
        parent: uint8 [icon, 32], key of what it started from; zeros for noise.
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
        arrays.key[row] = key_bytes(icon.key)
        arrays.parent[row] = key_bytes(icon.parent) if icon.parent else 0
    return arrays


def write_icons(
    level: zarr.Group,
    rows: NDArray[np.intp],
    icons: IconArrays,
    legibility: Floats | None = None,
    recognized: float | None = None,
) -> None:
    """Write the icons of a level.

    Args:
        level: group of the artifact.
        rows: of their cells in the grid, [icon].
        icons: in the same order.
        legibility: likewise; None without a judge.
        recognized: share of the icons that the judge assigns to their own cell; None where none was judged.
    """
    zarr_store.write_array(level, ICONS, "cell", rows)
    zarr_store.write_array(level, ICONS, "icon", icons.icon)
    zarr_store.write_array(level, ICONS, "fidelity", icons.fidelity)
    zarr_store.write_array(level, ICONS, "fidelity_centred", icons.fidelity_centred)
    zarr_store.write_array(level, ICONS, "key", icons.key)
    zarr_store.write_array(level, ICONS, "parent", icons.parent)
    if legibility is not None:
        zarr_store.write_array(level, ICONS, "legibility", legibility)
    if recognized is not None:
        level.attrs["recognized"] = recognized


def key_bytes(key: str) -> NDArray[np.uint8]:
    """A key in the image cache, SHA-256 (hex), as it is stored: uint8 [32]."""
    return np.frombuffer(bytes.fromhex(key), np.uint8)
