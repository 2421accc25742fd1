"""(rises of logits) => do the classes that a cell's attribution names rise when others are pushed its way?"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from pipeline.predict.bootstrap import weighted_mean
from pipeline.predict.cells import DIRECTIONS

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CellScores:
    """What pushes do to the named classes, mean over the pushes of each cell.

    Attributes:
        percentile: [direction, cell] mean place of the named classes in the order of all rises: 0.5 by chance.
        rise: [direction, cell] their rise above the mean of all classes, logit.
        moved: [push] whether any direction moved any logit.
    """

    percentile: Floats
    rise: Floats
    moved: NDArray[np.bool_]


def cell_scores(rises: Floats, cell: NDArray[np.int64], named: NDArray[np.int64]) -> CellScores:
    """Scores of every tested cell; NaN for a direction or cell that was never pushed with effect.

    Args:
        rises: [direction, push, class] logits after the push minus before; NaN for a direction that is missing.
        cell: [push] the tested cell whose classes are looked at.
        named: [cell, rank] its classes, -1 for none.
    """
    classes = named[cell]
    percentile = _mean_of_named(percentiles(rises), classes)
    rise = _mean_of_named(rises - rises.mean(axis=2, keepdims=True), classes)
    spread = np.nan_to_num(np.ptp(rises, axis=2))
    moved = (spread > 0).any(axis=0)
    scores = [_mean_by_cell(np.where(moved, values, np.nan), cell, len(named)) for values in (percentile, rise)]
    return CellScores(scores[0], scores[1], moved)


def percentiles(rises: Floats) -> Floats:
    """The place of every class in the order of rises, 0 (rises least) to 1 (rises most); equal ones share theirs."""
    ranks: Floats = rankdata(rises, axis=-1)
    places: Floats = (ranks - 1) / (rises.shape[-1] - 1)
    return places


def ceiling(named: NDArray[np.int64], classes: int) -> float:
    """The highest mean percentile that there can be: all named classes on top, in any order."""
    counts = (named >= 0).sum(axis=1)
    return float(np.mean(1 - (counts - 1) / 2 / (classes - 1)))


def summaries(scores: Floats, weights: Floats) -> Mapping[str, Floats]:
    """[weighting] mean over cells, by direction."""
    return {name: weighted_mean(values, weights) for name, values in zip(DIRECTIONS, scores, strict=True)}


def lifts(scores: Floats, weights: Floats) -> Mapping[str, Floats]:
    """[weighting] mean over cells of own minus control, by control."""
    return {
        name: weighted_mean(scores[0] - values, weights)
        for name, values in zip(DIRECTIONS[1:], scores[1:], strict=True)
    }


def _mean_of_named(values: Floats, classes: NDArray[np.int64]) -> Floats:
    """[direction, push] mean of values [direction, push, class] over each push's classes [push, rank]."""
    known = classes >= 0
    picked = np.take_along_axis(values, np.maximum(classes, 0)[None], axis=2)
    mean: Floats = np.where(known, picked, 0).sum(axis=2) / known.sum(axis=1)
    return mean


def _mean_by_cell(values: Floats, cell: NDArray[np.int64], cells: int) -> Floats:
    """[direction, cell] mean over pushes, those that are NaN left out."""
    found = np.full((len(values), cells), np.nan)
    for row, of_push in zip(found, values, strict=True):
        known = ~np.isnan(of_push)
        count = np.bincount(cell[known], minlength=cells)
        total = np.bincount(cell[known], of_push[known], minlength=cells)
        row[count > 0] = total[count > 0] / count[count > 0]
    return found
