"""The bootstrap: 95 % percentile intervals of statistics over resampled images, cells or patches.

A resample is a vector of weights: how often it holds each unit, or each row of a table. Rows of one unit (an image, a
cell) are drawn together. Rows that belong to units of two kinds are resampled by both, drawn independently: the weight
of a row is the product of the counts of its two units (the bootstrap of crossed factors; Owen 2007, "The pigeonhole
bootstrap"), since values that share a unit of either kind are correlated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

COVERAGE = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval; NaN where there is nothing to measure or to resample."""

    value: float
    low: float
    high: float


def draw_counts(random: np.random.Generator, count: int, resamples: int) -> Floats:
    """How often each of ``count`` units is drawn with replacement, [resample, unit]; every row adds up to ``count``."""
    return random.multinomial(count, np.full(count, 1 / count), size=resamples).astype(np.float64)


def percentile_interval(value: float, resampled: Floats) -> Interval:
    """The estimate ``value`` with the interval that holds the central 95 % of its resamples [resample]."""
    low, high = np.quantile(resampled, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Interval(float(value), float(low), float(high))


def row_weights(random: np.random.Generator, units: Sequence[Rows], resamples: int) -> Floats:
    """Weights of the rows of a table: those of the plain estimate, all ones, and then those of each resample.

    With a single unit of any kind there is nothing to resample by it, and only the ones are returned, since an interval
    over the other kind alone would be too narrow.

    Args:
        random: the generator.
        units: for each kind of unit, the unit of each row, [row].
        resamples: of the bootstrap.

    Returns:
        [1 + resamples, row]
    """
    weights = np.ones((1 + resamples, len(units[0])))
    for unit in units:
        names, of_row = np.unique(unit, return_inverse=True)
        if len(names) < 2:
            return weights[:1]
        weights[1:] *= draw_counts(random, len(names), resamples)[:, of_row]
    return weights


def weighted_mean(values: Floats, weights: Floats) -> Floats:
    """The mean [weighting] of values [row] without those that are NaN, for each row of weights [weighting, row]."""
    known = ~np.isnan(values)
    total, weight = weights[:, known] @ values[known], weights[:, known].sum(axis=1)
    mean: Floats = np.divide(total, weight, out=np.full(len(total), np.nan), where=weight > 0)
    return mean


def crossed_means(values: NDArray[np.floating], rows: Floats, columns: Floats) -> Floats:
    """The mean [resample] of a full table of values whose rows and columns are both resampled.

    Args:
        values: [row, column].
        rows: how often each row is drawn, [resample, row].
        columns: how often each column is drawn, [resample, column].
    """
    means: Floats = np.einsum("rp,pi,ri->r", rows, values, columns, optimize=True) / values.size
    return means


def weighted_interval(values: Floats) -> Interval:
    """The interval of a statistic computed under :func:`row_weights`, [1 + resamples]; NaN values are left out."""
    known = values[1:][~np.isnan(values[1:])]
    if np.isnan(values[0]) or not len(known):
        return Interval(float(values[0]), np.nan, np.nan)
    return percentile_interval(values[0], known)
