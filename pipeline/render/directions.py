"""Directions: what icons are drawn for, in raw, centred or whitened activations."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Space:
    """A space of activations, reached by an affine map.

    Attributes:
        origin: float32 [channel], what is subtracted first.
        root: float32 [channel, channel], what it is then multiplied with; None leaves it as it is. In a whitened space
            root · rootᵀ is the inverse of the shrunk covariance, so that a plain dot product after the map is
            the whitened one, and a plain cosine the whitened cosine.
    """

    origin: NDArray[np.float32]
    root: NDArray[np.float32] | None


def space(
    kind: Literal["raw", "centred", "whitened"],
    mean: Floats,
    covariance: Floats | None = None,
    samples: int = 0,
    shrinkage: float | None = None,
) -> Space:
    """The space in which directions and activations are compared.

    Args:
        kind: ``raw``, ``centred`` (the layer's mean subtracted) or ``whitened`` (also decorrelated).
        mean: the layer's mean activation, [channel].
        covariance: of the layer's activations, [channel, channel]; only ``whitened`` needs it.
        samples: how many activations the covariance comes from.
        shrinkage: pull of the covariance towards a multiple of the identity, 0..1; None estimates it.
    """
    origin = np.zeros_like(mean, np.float32) if kind == "raw" else mean.astype(np.float32)
    if kind != "whitened":
        return Space(origin, None)
    if covariance is None:
        raise ValueError("a whitened space needs the covariance")
    pull = shrinkage if shrinkage is not None else estimated_shrinkage(covariance, samples)
    return Space(origin, whitening_root(covariance, pull).astype(np.float32))


def estimated_shrinkage(covariance: Floats, samples: int) -> float:
    """Oracle approximating shrinkage (Chen et al. 2010, equation 23): what best mends a covariance from few samples.

    Args:
        covariance: [channel, channel].
        samples: how many activations it comes from.

    Returns:
        The pull towards the identity, 0..1; 1 where nothing varies.
    """
    matrix = covariance.astype(np.float64)
    channels = len(matrix)
    trace, trace_of_square = np.trace(matrix), np.sum(matrix**2)
    excess = (samples + 1 - 2 / channels) * (trace_of_square - trace**2 / channels)
    if excess <= 0:
        return 1.0
    return float(min(1.0, ((1 - 2 / channels) * trace_of_square + trace**2) / excess))


def whitening_root(covariance: Floats, shrinkage: float) -> NDArray[np.float64]:
    """Symmetric root of the inverse of a shrunk covariance, scaled to keep typical lengths.

    A channel that never fires has no variance, and its inverse no bounds; what shrinkage leaves is therefore kept above
    a millionth of the mean variance.

    Args:
        covariance: [channel, channel].
        shrinkage: pull towards a multiple of the identity, 0..1.

    Returns:
        [channel, channel]; the identity where nothing varies.
    """
    matrix = covariance.astype(np.float64)
    channels = len(matrix)
    typical = np.trace(matrix) / channels
    if not typical > 0:
        return np.eye(channels)
    values, vectors = np.linalg.eigh(matrix)
    shrunk = (1 - shrinkage) * values.clip(min=0) / typical + shrinkage
    root: NDArray[np.float64] = (vectors / np.sqrt(shrunk.clip(min=1e-6))) @ vectors.T
    return root
