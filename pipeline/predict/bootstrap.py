"""Intervals from a bootstrap, and the statistics that they are of.

A statistic is computed for many weightings of the rows at once. The first weighting is all ones, the plain estimate;
each other one says how often a resample holds each row. Rows of one unit (an image, a cell) come and go together; rows
that share units of two kinds are drawn by both (see :mod:`pipeline.core.bootstrap`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.bootstrap import draws, middle

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

SMALLEST = 1e-12  # variances below this share of the largest one are rounding


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval; NaN where there is nothing to measure or to resample."""

    value: float
    low: float
    high: float


def weightings(unit: Rows, resamples: int, seed: int) -> Floats:
    """[1 + resamples, row]: ones, then how often each resample of the units holds each row.

    With a single unit there is nothing to resample, and only the ones are returned.

    Args:
        unit: [row] what is resampled as a whole.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    return _weightings([unit], resamples, seed)


def crossed_weightings(one: Rows, two: Rows, resamples: int, seed: int) -> Floats:
    """[1 + resamples, row]: ones, then how often each row is held where units of two kinds are drawn independently.

    A row counts as often as its one unit times as often as its other. With a single unit of either kind only the ones
    are returned, since an interval over the other kind alone would be too narrow.

    Args:
        one: [row] what is resampled as a whole.
        two: [row] the same of the other kind.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    return _weightings([one, two], resamples, seed)


def interval(values: Floats) -> Interval:
    """The estimate and the middle 95 % of its resamples, from one value for each weighting."""
    known = values[1:][~np.isnan(values[1:])]
    if np.isnan(values[0]) or not len(known):
        return Interval(float(values[0]), np.nan, np.nan)
    return Interval(float(values[0]), *middle(known))


def weighted_mean(values: Floats, weights: Floats) -> Floats:
    """[weighting] mean of ``values`` [row], those that are NaN left out."""
    known = ~np.isnan(values)
    return _ratio(weights[:, known] @ values[known], weights[:, known].sum(axis=1))


def weighted_median(values: Floats, weights: Floats) -> Floats:
    """[weighting] median of ``values`` [row], those that are NaN left out."""
    order = np.argsort(values)[: int((~np.isnan(values)).sum())]
    if not len(order):
        return np.full(len(weights), np.nan)
    reached = np.cumsum(weights[:, order], axis=1)
    half = reached[:, -1:] / 2
    lower, upper = (values[order][np.argmax(found, axis=1)] for found in (reached >= half, reached > half))
    return np.where(half[:, 0] > 0, (lower + upper) / 2, np.nan)


def weighted_correlation(one: Floats, two: Floats, weights: Floats) -> Floats:
    """[weighting, column] Pearson correlation over the rows of ``one`` and ``two`` [row, column]; NaN of a constant."""
    one, two = one - one.mean(axis=0), two - two.mean(axis=0)
    total = weights.sum(axis=1, keepdims=True)
    total = np.where(total > 0, total, np.nan)
    mean_one, mean_two = weights @ one / total, weights @ two / total
    covariance = weights @ (one * two) / total - mean_one * mean_two
    variances = [weights @ x**2 / total - mean**2 for x, mean in ((one, mean_one), (two, mean_two))]
    varied = np.logical_and(*(variance > SMALLEST * np.nanmax(variance, initial=0) for variance in variances))
    product = np.where(varied, variances[0] * variances[1], np.nan)
    correlation: Floats = np.clip(covariance / np.sqrt(product), -1, 1)
    return correlation


def _weightings(units: Sequence[Rows], resamples: int, seed: int) -> Floats:
    random = np.random.default_rng([seed, 2])
    found = np.ones((1 + resamples, len(units[0])))
    for unit in units:
        names, of_row = np.unique(unit, return_inverse=True)
        if len(names) < 2:
            return found[:1]
        found[1:] *= draws(random, len(names), resamples)[:, of_row]
    return found


def _ratio(above: Floats, below: Floats) -> Floats:
    ratio: Floats = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
    return ratio
