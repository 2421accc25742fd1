"""The two directions of largest variance: a plain linear layout, and the compass of all others."""

import numpy as np
from numpy.typing import NDArray

from pipeline.core.statistics import LayerStatistics, statistics
from pipeline.reduce.config import ReduceSettings

BLOCK = 8192


def layout(
    activations: NDArray[np.float32], settings: ReduceSettings, seed: int, dimensions: int = 2
) -> NDArray[np.float64]:
    """Project [n, channel] activations onto their first one or two principal components: [n, dimensions].

    Args:
        activations: distinct rows, none of them all zero under cosine.
        settings: of the stage; PCA itself has none.
        seed: not needed, PCA has no chance in it.
        dimensions: 1 or 2.
    """
    del settings, seed
    blocks = [activations[start : start + BLOCK] for start in range(0, len(activations), BLOCK)]
    plane = principal_plane(statistics(blocks))
    return np.concatenate([project(block, plane)[:, :dimensions] for block in blocks])


class Plane:
    """A plane in activation space: a centre [channel] and two orthonormal axes [channel, 2], all float64."""

    def __init__(self, centre: NDArray[np.float64], axes: NDArray[np.float64]) -> None:
        self.centre = centre
        self.axes = axes


def principal_plane(moments: LayerStatistics) -> Plane:
    """The plane of the two largest eigenvalues of the covariance.

    The sign of an eigenvector is arbitrary: the loading with the largest magnitude is made positive.
    """
    _, vectors = np.linalg.eigh(moments.covariance)
    axes = vectors[:, ::-1][:, :2]
    if axes.shape[1] < 2:  # a layer of one channel
        axes = np.concatenate([axes, np.zeros_like(axes)], axis=1)
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0)
    return Plane(moments.mean, axes * np.where(largest < 0, -1.0, 1.0))


def project(block: NDArray[np.float32], plane: Plane) -> NDArray[np.float64]:
    """Coordinates [row, 2] of activations [row, channel] in the plane."""
    coordinates: NDArray[np.float64] = (block.astype(np.float64) - plane.centre) @ plane.axes
    return coordinates
