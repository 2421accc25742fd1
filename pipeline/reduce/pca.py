"""Principal component analysis: a linear layout, the initialization of UMAP and t-SNE, and the alignment reference."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.moments import LayerStatistics, statistics
from pipeline.reduce.rows import Rows


@dataclass(frozen=True)
class Plane:
    """A plane in activation space.

    Attributes:
        center: [channel] float64.
        axes: [channel, 2] float64, orthonormal.
    """

    center: NDArray[np.float64]
    axes: NDArray[np.float64]


def embed(rows: Rows, dimensions: int = 2) -> NDArray[np.float64]:
    """Coordinates [n, dimensions] of rows on their first one or two principal components."""
    plane = principal_plane(statistics(block for _, block in rows.blocks()))
    return np.concatenate([project(block, plane)[:, :dimensions] for _, block in rows.blocks()])


def principal_plane(moments: LayerStatistics) -> Plane:
    """The plane of the two largest eigenvalues of the covariance."""
    axes = principal_axes(moments.covariance, 2)
    if axes.shape[1] < 2:  # a layer of one channel
        axes = np.concatenate([axes, np.zeros_like(axes)], axis=1)
    return Plane(moments.mean, axes)


def principal_axes(covariance: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Eigenvectors [channel, count] of the largest eigenvalues, largest first; fewer where there are fewer channels.

    The sign of an eigenvector is arbitrary: the loading with the largest magnitude is made positive.
    """
    _, vectors = np.linalg.eigh(covariance)
    axes = vectors[:, ::-1][:, :count]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0)
    signed: NDArray[np.float64] = axes * np.where(largest < 0, -1.0, 1.0)
    return signed


def project(block: NDArray[np.float32], plane: Plane) -> NDArray[np.float64]:
    """Coordinates [row, 2] of activations [row, channel] in the plane."""
    coordinates: NDArray[np.float64] = (block.astype(np.float64) - plane.center) @ plane.axes
    return coordinates
