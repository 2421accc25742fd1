"""Polysemantic cells: those with strong attribution to two classes whose activations are dissimilar."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.moments import grouped_sums

CONSIDERED = 8  # strongest classes of a cell
STRONG = 0.3  # of the largest attribution that any cell has to the class
DISSIMILAR = 0.8  # 1 - cosine; 1 is the value of unrelated classes
LISTED = 12


@dataclass(frozen=True)
class PolysemanticCells:
    """Polysemantic cells and their two classes, the highest score first.

    Attributes:
        cell: [listed] index of the cell.
        classes: [listed, 2].
        value: [listed, 2] the cell's mean attribution to them, logit.
        distance: [listed] 1 - centered cosine of the classes' mean activations, 0..2.
        score: [listed] distance times the weaker of the two strengths.
    """

    cell: NDArray[np.int64]
    classes: NDArray[np.int64]
    value: NDArray[np.float32]
    distance: NDArray[np.float32]
    score: NDArray[np.float32]


def class_directions(
    blocks: Iterable[tuple[NDArray[np.int64], NDArray[Any]]],
    label: NDArray[np.int64],
    classes: int,
    mean: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Unit vectors from the layer's mean to the mean activation of each class [class, channel], NaN without samples.

    Args:
        blocks: (rows, their activations [row, channel]).
        label: [sample] the class of each, -1 where it has none.
        classes: number of classes.
        mean: [channel] of the whole layer.
    """
    sums = grouped_sums(blocks, label + 1, classes + 1, len(mean))[1:]
    count = np.bincount(label + 1, minlength=classes + 1)[1:, None]
    with np.errstate(invalid="ignore"):
        centered = sums / count - mean
        unit: NDArray[np.float32] = (centered / np.linalg.norm(centered, axis=1, keepdims=True)).astype(np.float32)
    return unit


def polysemantic_cells(
    attribution: NDArray[np.float32], drawn: NDArray[np.bool_], directions: NDArray[np.float32]
) -> PolysemanticCells:
    """The drawn cells with strong attribution to two dissimilar classes.

    A cell's strength for a class is its share of the largest attribution that any drawn cell has to that class.

    Args:
        attribution: [cell, class] logit.
        drawn: [cell].
        directions: [class, channel], see :func:`class_directions`.
    """
    cells = np.flatnonzero(drawn)
    value = attribution[cells]
    top = np.argsort(-value, axis=1, kind="stable")[:, :CONSIDERED]
    strength = np.take_along_axis(value / np.maximum(value.max(axis=0, initial=1e-12), 1e-12), top, axis=1)
    best = np.zeros(len(cells), np.float32)
    pair = np.zeros((len(cells), 2), np.int64)
    distance = np.zeros(len(cells), np.float32)
    for one, other in combinations(range(top.shape[1]), 2):
        apart = 1 - np.einsum("ij,ij->i", directions[top[:, one]], directions[top[:, other]])
        weaker = np.minimum(strength[:, one], strength[:, other])
        score = np.where((weaker >= STRONG) & (apart >= DISSIMILAR), weaker * apart, 0)  # NaN compares as false
        better = score > best
        best[better], distance[better] = score[better], apart[better]
        pair[better] = top[better][:, [one, other]]
    order = np.argsort(-best, kind="stable")[:LISTED]
    order = order[best[order] > 0]
    at = cells[order]
    return PolysemanticCells(at, pair[order], attribution[at[:, None], pair[order]], distance[order], best[order])
