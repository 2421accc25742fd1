"""Spaces in which activations are compared: raw, centered on the layer's mean, or whitened by a shrunk covariance."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class ActivationSpace:
    """A space of activations, reached by an affine map: (activation - origin) · root.

    Attributes:
        origin: float32 [channel].
        root: float32 [channel, channel]; None stands for the identity. In a whitened space root · rootᵀ is the inverse
        of
            the shrunk covariance, so that a dot product after the map is the whitened one, and a cosine the whitened
            cosine.
    """

    origin: NDArray[np.float32]
    root: NDArray[np.float32] | None


def activation_space(
    kind: Literal["raw", "centered", "whitened"],
    mean: Floats,
    covariance: Floats | None = None,
    samples: int = 0,
    shrinkage: float | None = None,
) -> ActivationSpace:
    """The space of one kind for a layer.

    Args:
        kind: ``raw``, ``centered`` (the layer's mean subtracted) or ``whitened`` (also decorrelated).
        mean: the layer's mean activation, [channel].
        covariance: of the layer's activations, [channel, channel]; only ``whitened`` needs it.
        samples: number of activations that the covariance was estimated from.
        shrinkage: weight of a multiple of the identity in the covariance, 0..1; None estimates it.

    Raises:
        ValueError: a whitened space without a covariance.
    """
    origin = np.zeros_like(mean, np.float32) if kind == "raw" else mean.astype(np.float32)
    if kind != "whitened":
        return ActivationSpace(origin, None)
    if covariance is None:
        raise ValueError("a whitened space needs the covariance")
    weight = shrinkage if shrinkage is not None else oas_shrinkage(covariance, samples)
    return ActivationSpace(origin, whitening_matrix(covariance, weight).astype(np.float32))


def oas_shrinkage(covariance: Floats, samples: int) -> float:
    """Oracle approximating shrinkage (Chen et al. 2010, equation 23) of a covariance from few samples.

    Args:
        covariance: [channel, channel].
        samples: number of activations that it was estimated from.

    Returns:
        The weight of the identity, 0..1; 1 where nothing varies.
    """
    matrix = covariance.astype(np.float64)
    channels = len(matrix)
    trace, trace_of_square = np.trace(matrix), np.sum(matrix**2)
    excess = (samples + 1 - 2 / channels) * (trace_of_square - trace**2 / channels)
    if excess <= 0:
        return 1.0
    return float(min(1.0, ((1 - 2 / channels) * trace_of_square + trace**2) / excess))


def whitening_matrix(covariance: Floats, shrinkage: float) -> NDArray[np.float64]:
    """Symmetric square root of the inverse of a shrunk covariance, scaled to keep the typical norm of activations.

    A channel that is never active has no variance, and its inverse no bound; the eigenvalues that shrinkage leaves are
    therefore clipped at a millionth of the mean variance.

    Args:
        covariance: [channel, channel].
        shrinkage: weight of a multiple of the identity, 0..1.

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
