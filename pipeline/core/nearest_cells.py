"""The cell of a grid level that an activation resembles most."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PRODUCTS = 2**24  # cosines in memory at a time


@dataclass(frozen=True, eq=False)
class NearestCells:
    """The nearest cell of each activation.

    Attributes:
        cell: [activation] row in the cells' means.
        similarity: [activation] centered cosine to that cell's mean, -1..1.
    """

    cell: NDArray[np.int64]
    similarity: NDArray[np.float32]


def nearest_cells(
    activation: NDArray[np.float32], means: NDArray[np.float32], center: NDArray[np.float32]
) -> NearestCells:
    """The cell whose mean has the largest centered cosine with each activation; of equal ones the first.

    The space is that of the layout: the layer's raw activations. The measure is that of a cell's spread, reliability
    and exemplars: the cosine after the layer's mean is subtracted from both sides. Without subtracting, the mean that
    all activations share makes every image look similar to every cell; with it, an activation unlike any of the atlas
    has a low similarity to all of them. An activation that equals the layer's mean has no direction: its similarity is
    0.

    Args:
        activation: [activation, channel].
        means: mean activation of each cell [cell, channel], at least one.
        center: the layer's mean [channel].
    """
    directions = _unit(means - center)
    cell, similarity = np.empty(len(activation), np.int64), np.empty(len(activation), np.float32)
    step = max(1, PRODUCTS // len(means))
    for start in range(0, len(activation), step):
        rows = slice(start, start + step)
        cosines = _unit(activation[rows] - center) @ directions.T
        cell[rows] = cosines.argmax(axis=1)
        similarity[rows] = np.clip(cosines.max(axis=1), -1, 1)
    return NearestCells(cell, similarity)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1; zeros stay zeros."""
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    scaled = np.divide(rows, largest, out=np.zeros_like(rows), where=largest > 0)  # its squares stay finite
    norms = np.linalg.norm(scaled, axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.divide(scaled, norms, out=scaled, where=norms > 0)
    return unit
