"""Retrieval: does an icon's activation find its own cell among all drawn cells of its level?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 4096  # icons compared at once, to bound memory


@dataclass(frozen=True)
class Retrieval:
    """Shares of icons, 0..1.

    Attributes:
        exact: the nearest drawn cell is the icon's own.
        near: it lies within the 3 × 3 cells around it.
    """

    exact: float
    near: float


def retrieval(
    activations: NDArray[np.float32],
    cell_means: NDArray[np.float32],
    cells: NDArray[np.integer],
    layer_mean: NDArray[np.float32],
) -> Retrieval:
    """How many icons find their cell by the largest centred cosine.

    Args:
        activations: of the icons, [icon, channel]; rows that are not finite find nothing.
        cell_means: of their cells in the same order, [icon, channel].
        cells: (row, column) of the cells, [icon, 2].
        layer_mean: [channel].
    """
    means = np.nan_to_num(_unit(cell_means - layer_mean))
    sound: NDArray[np.bool_] = np.asarray(np.isfinite(activations).all(axis=1))
    distance = np.full(len(cells), np.iinfo(np.int64).max)
    for start in range(0, len(cells), BLOCK):
        rows = np.flatnonzero(sound[start : start + BLOCK]) + start
        nearest = np.argmax((activations[rows] - layer_mean) @ means.T, axis=1)
        distance[rows] = np.abs(cells[nearest] - cells[rows]).max(1)
    return Retrieval(exact=float((distance == 0).mean()), near=float((distance <= 1).mean()))


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
