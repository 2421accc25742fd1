"""Polysemantic cells: those with strong attribution to two classes that look unlike to the network.

Two classes look alike where the same cells hold them. That is measured on the run itself: by the overlap of their
distributions over the cells of a layer. Streetcar and train have wheels and windows in common cells; fireboat and fish
only the waves. The overlap that counts is the largest of all layers, since classes that look alike at any of them share
more than one cell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from pipeline.site.verdict import MIN_ATTRIBUTION

CONSIDERED = 8  # strongest classes of a cell
STRONG = 0.3  # of the largest attribution that any cell has to the class
UNLIKE = 0.1  # largest overlap, 0..1
LISTED = 12
MIN_SAMPLES = 200  # of a class, in as many cells as a level has at most some thousand of: fewer rarely meet in any

Profiles = Sequence[NDArray[np.float32]]


@dataclass(frozen=True)
class PolysemanticCells:
    """Polysemantic cells and their two classes, the highest score first.

    Attributes:
        cell: [listed] index of the cell.
        classes: [listed, 2].
        value: [listed, 2] the cell's mean attribution to them, logit.
        overlap: [listed] of the two classes, 0..:data:`UNLIKE`.
        score: [listed] 1 - overlap, times the weaker of the two strengths.
    """

    cell: NDArray[np.int64]
    classes: NDArray[np.int64]
    value: NDArray[np.float32]
    overlap: NDArray[np.float32]
    score: NDArray[np.float32]


def class_profiles(
    attribution: NDArray[np.float32], count: NDArray[np.integer], labeled: NDArray[np.integer] | None
) -> NDArray[np.float32]:
    """The distribution of each class over the cells of a level, [class, cell], of sum 1; NaN for a class in no cell.

    It is that of the samples of the class's images, or, of a class with fewer than :data:`MIN_SAMPLES` of them, that of
    its positive attribution.

    Args:
        attribution: [cell, class] mean, logit.
        count: [cell] samples.
        labeled: [class, cell] samples of images with the class as label; None where no image has one.
    """
    found = np.maximum(attribution.T, 0) * count
    if labeled is not None:
        known = labeled.sum(axis=1) >= MIN_SAMPLES
        found[known] = labeled[known]
    with np.errstate(invalid="ignore"):
        profile: NDArray[np.float32] = (found / found.sum(axis=1, keepdims=True)).astype(np.float32)
    return profile


def class_overlap(
    profiles: Profiles, one: NDArray[np.int64], other: NDArray[np.int64], in_memory: int = 2**22
) -> NDArray[np.float32]:
    """[pair] the overlap of two classes, the sum over cells of the smaller share, 0..1; the largest of all layers.

    Args:
        profiles: of each layer, see :func:`class_profiles`.
        one: [pair] a class.
        other: [pair] the other one.
        in_memory: numbers in memory at a time.
    """
    found = np.zeros(len(one), np.float32)
    for profile in profiles:
        step = max(1, in_memory // max(1, profile.shape[1]))
        for start in range(0, len(one), step):
            part = slice(start, start + step)
            smaller = np.minimum(profile[one[part]], profile[other[part]])
            found[part] = np.maximum(found[part], smaller.sum(axis=1))  # NaN stays
    return found


def polysemantic_cells(
    attribution: NDArray[np.float32], drawn: NDArray[np.bool_], profiles: Profiles
) -> PolysemanticCells:
    """The drawn cells with strong attribution to two classes that look unlike.

    A cell's strength for a class is its share of the largest attribution that any drawn cell has to that class.

    Args:
        attribution: [cell, class] logit.
        drawn: [cell].
        profiles: of each layer, see :func:`class_profiles`.
    """
    cells = np.flatnonzero(drawn)
    value = attribution[cells]
    top = np.argsort(-value, axis=1, kind="stable")[:, :CONSIDERED]
    strength = np.take_along_axis(value / np.maximum(value.max(axis=0, initial=1e-12), 1e-12), top, axis=1)
    enough = np.take_along_axis(value, top, axis=1) >= MIN_ATTRIBUTION
    best = np.zeros(len(cells), np.float32)
    pair = np.zeros((len(cells), 2), np.int64)
    of_pair = np.zeros(len(cells), np.float32)
    for ranks in map(list, combinations(range(top.shape[1]), 2)):
        weaker = strength[:, ranks].min(axis=1)
        rows = np.flatnonzero((weaker >= STRONG) & enough[:, ranks].all(axis=1))
        classes = top[rows][:, ranks]
        overlap = class_overlap(profiles, classes[:, 0], classes[:, 1])
        score = np.where(overlap <= UNLIKE, weaker[rows] * (1 - overlap), 0)  # NaN compares as false
        better = score > best[rows]
        rows = rows[better]
        best[rows], of_pair[rows], pair[rows] = score[better], overlap[better], classes[better]
    order = np.argsort(-best, kind="stable")[:LISTED]
    order = order[best[order] > 0]
    at = cells[order]
    return PolysemanticCells(at, pair[order], attribution[at[:, None], pair[order]], of_pair[order], best[order])
