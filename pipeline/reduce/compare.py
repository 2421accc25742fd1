"""The plane of a comparison: how two classes divide the samples across it, what the samples are along it.

After Carter et al. 2019, "Comparing Classifications": x is the difference of the two attributions over its 99th
percentile, y a one-dimensional layout of the activations.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PERCENTILE = 99


@dataclass(frozen=True)
class Axis:
    """The horizontal axis of a comparison.

    Attributes:
        scale: attribution to the right class less that to the left one at the right edge, logit; minus it at the left.
        clipped: share of the samples beyond the edges, which lie on them.
    """

    scale: float
    clipped: float


def across(difference: NDArray[np.float32]) -> tuple[NDArray[np.float64], Axis]:
    """Where attribution differences [n] lie across the plane: x [n] in 0..1, a difference of zero exactly at 0.5."""
    wide = difference.astype(np.float64)
    scale = float(np.percentile(np.abs(wide), PERCENTILE)) or 1.0
    share = np.clip(wide / scale, -1, 1)
    return 0.5 + share / 2, Axis(scale, float((np.abs(wide) > scale).mean()))


def upright(points: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """A one-dimensional layout [n, 1], turned over if it runs against ``reference`` [n], and centred on 0."""
    centred = points - points.mean(axis=0)
    along = float(centred[:, 0] @ (reference - reference.mean()))
    turned: NDArray[np.float64] = np.copysign(1, along) * centred
    return turned


def spread_along(y: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Move values [n, 1] of 0..1 part of the way to filling that range evenly; their order stays."""
    rank = np.argsort(np.argsort(y[:, 0], kind="stable"), kind="stable")
    even = (rank[:, None] + 0.5) / len(y)
    moved: NDArray[np.float64] = y + share * (even - y)
    return moved
