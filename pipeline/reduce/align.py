"""Turning layouts to agree: they have no up or left of their own."""

import numpy as np
from numpy.typing import NDArray


def turned(points: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotate or reflect ``points`` [n, 2] about their mean so that they lie best on ``reference`` [n, 2].

    Orthogonal Procrustes (Schönemann 1966): distances within the layout stay as they are. The result is centred on 0.
    """
    centred = points - points.mean(axis=0)
    left, _, right = np.linalg.svd(centred.T @ (reference - reference.mean(axis=0)))
    rotated: NDArray[np.float64] = centred @ (left @ right)
    return rotated
