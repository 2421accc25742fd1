"""The name of a finished icon: a digest of everything that can change its pixels."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.core.digests import identity

RENDERING = 2  # raised whenever the code draws other pixels from the same input

Floats = NDArray[np.float32]


def base_digest(
    *,
    network: str,
    layer: str,
    origin: Floats,
    root: Floats | None,
    layer_mean: Floats,
    settings: Mapping[str, Any],
    seed: int,
) -> bytes:
    """What all icons of one layer have in common.

    The version of torch belongs to it, since another one may round differently.

    Args:
        network: identity of the saved network.
        layer: whose activations are drawn.
        origin: of the space of directions, [channel].
        root: of that space, [channel, channel], or None.
        layer_mean: [channel], which the measures use.
        settings: those that can change a pixel or a measure, as JSON has them.
        seed: of the run.

    Returns:
        32 bytes, for :func:`icon_key`.
    """
    description = {
        "rendering": RENDERING,
        "torch": torch.__version__,
        "network": network,
        "layer": layer,
        "origin": _content(origin),
        "root": None if root is None else _content(root),
        "layer_mean": _content(layer_mean),
        "settings": dict(settings),
        "seed": seed,
    }
    return bytes.fromhex(identity(description))


def icon_key(base: bytes, direction: Floats, attempt: int, parent: str | None = None) -> str:
    """The key of one icon.

    Args:
        base: of its layer, see :func:`base_digest`.
        direction: the mean activation that it is drawn for, [channel].
        attempt: which start, from 0.
        parent: key of the icon it started from, or None.

    Returns:
        SHA-256, hex.
    """
    digest = hashlib.sha256(base)
    digest.update(f"{attempt} {parent or '-'} {len(direction)} ".encode())
    digest.update(direction.astype("<f4").tobytes())
    return digest.hexdigest()


def _content(values: Floats) -> list[Any]:
    """An array as its shape and the digest of its bytes."""
    return [list(values.shape), hashlib.sha256(values.astype("<f4").tobytes()).hexdigest()]
