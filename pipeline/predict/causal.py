"""(rises of logits) => do the classes that a cell's attribution names rise when others are pushed its way?"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from pipeline.predict.bootstrap import crossed_weightings, weighted_mean
from pipeline.predict.cells import DIRECTIONS

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class PushScores:
    """What each push does to the classes that its cell names; NaN for pushes or directions without effect.

    Attributes:
        percentile: [direction, push] mean place of the named classes in the order of all rises: 0.5 by chance.
        rise: [direction, push] their rise above the mean of all classes, logit.
        moved: [push] whether any direction moved any logit.
    """

    percentile: Floats
    rise: Floats
    moved: NDArray[np.bool_]


def push_scores(rises: Floats, cell: Rows, named: Rows) -> PushScores:
    """Scores of every push.

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
    return PushScores(np.where(moved, percentile, np.nan), np.where(moved, rise, np.nan), moved)


def percentiles(rises: Floats) -> Floats:
    """The place of every class in the order of rises, 0 (rises least) to 1 (rises most); equal ones share theirs."""
    ranks: Floats = rankdata(rises, axis=-1)
    places: Floats = (ranks - 1) / (rises.shape[-1] - 1)
    return places


def ceiling(named: Rows, classes: int) -> float:
    """The highest mean percentile that there can be: all named classes on top, in any order."""
    counts = (named >= 0).sum(axis=1)
    return float(np.mean(1 - (counts - 1) / 2 / (classes - 1)))


def push_weightings(cell: Rows, image: Rows, resamples: int, seed: int) -> Floats:
    """[1 + resamples, push] weights of the mean over cells of the mean over each cell's pushes.

    An image that is pushed for several cells makes their scores alike, so cells and images are both resampled.

    Args:
        cell: [push] the tested cell.
        image: [push] the image that is pushed.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    _, of_push, counts = np.unique(cell, return_inverse=True, return_counts=True)
    weights: Floats = crossed_weightings(cell, image, resamples, seed) / counts[of_push]
    return weights


def summaries(scores: Floats, weights: Floats) -> Mapping[str, Floats]:
    """[weighting] mean of scores [direction, push] under :func:`push_weightings`, by direction."""
    return {name: weighted_mean(values, weights) for name, values in zip(DIRECTIONS, scores, strict=True)}


def lifts(scores: Floats, weights: Floats) -> Mapping[str, Floats]:
    """[weighting] mean of own minus control under :func:`push_weightings`, by control: paired push by push."""
    return {
        name: weighted_mean(scores[0] - values, weights)
        for name, values in zip(DIRECTIONS[1:], scores[1:], strict=True)
    }


def mean_by_cell(values: Floats, cell: Rows, cells: int) -> Floats:
    """[cell] mean over the pushes [push] of each, those that are NaN left out; NaN for a cell without any."""
    known = ~np.isnan(values)
    count = np.bincount(cell[known], minlength=cells)
    total = np.bincount(cell[known], values[known], minlength=cells)
    mean: Floats = np.divide(total, count, out=np.full(cells, np.nan), where=count > 0)
    return mean


def _mean_of_named(values: Floats, classes: Rows) -> Floats:
    """[direction, push] mean of values [direction, push, class] over each push's classes [push, rank]."""
    known = classes >= 0
    picked = np.take_along_axis(values, np.maximum(classes, 0)[None], axis=2)
    mean: Floats = np.where(known, picked, 0).sum(axis=2) / known.sum(axis=1)
    return mean
