"""(attributions, true changes of logits) => how far the one foretells the other.

An attribution is what the network would lose to first order if the activation were taken away. The true change is what
it does lose when the activation is replaced: logits before minus logits after.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from pipeline.predict.bootstrap import weighted_correlation, weighted_mean, weighted_median

Floats = NDArray[np.float64]

MEASURES = ("within", "within_median", "across", "own", "sign", "hit")


def measures(attribution: Floats, change: Floats, label: NDArray[np.int64], weights: Floats) -> Mapping[str, Floats]:
    """Every measure for every weighting of the samples (see :mod:`pipeline.predict.bootstrap`).

    ``within``, ``within_median``: rank correlation over the classes of one sample, its mean and median over samples:
    are the right classes named? ``across``: rank correlation over the samples for one class, mean over classes: are
    the right samples named? Ranks are those among all samples, in each resample too. ``own``: the same for each
    sample's own label. ``sign``: share of classes that change in the direction foretold. ``hit``: share of samples
    whose class of largest attribution is the one that loses most.

    Args:
        attribution: [sample, class] logit.
        change: [sample, class] logits before minus logits after.
        label: [sample] class of the image, -1 where there is none.
        weights: [weighting, sample].

    Returns:
        [weighting] by measure; NaN where it is undefined.
    """
    within = row_correlation(attribution, change)
    known = label >= 0
    own = [np.take_along_axis(values[known], label[known, None], axis=1) for values in (attribution, change)]
    return {
        "within": weighted_mean(within, weights),
        "within_median": weighted_median(within, weights),
        "across": _mean_correlation(attribution, change, weights),
        "own": _mean_correlation(own[0], own[1], weights[:, known]),
        "sign": weighted_mean(sign_agreement(attribution, change), weights),
        "hit": weighted_mean(hits(attribution, change), weights),
    }


def row_correlation(one: Floats, two: Floats) -> Floats:
    """[row] Spearman's rank correlation of the rows of ``one`` and ``two``; equal values share their mean rank.

    NaN where a row is constant.
    """
    ranks = [rankdata(values, axis=1) for values in (one, two)]
    centred = [rank - rank.mean(axis=1, keepdims=True) for rank in ranks]
    product = np.sqrt((centred[0] ** 2).sum(axis=1) * (centred[1] ** 2).sum(axis=1))
    above = (centred[0] * centred[1]).sum(axis=1)
    correlation: Floats = np.divide(above, product, out=np.full(len(one), np.nan), where=product > 0)
    return correlation


def constant_rows(values: Floats) -> NDArray[np.bool_]:
    """[row] whether all classes have the same value, so that nothing can be ranked."""
    return np.asarray(np.ptp(values, axis=1) == 0)


def sign_agreement(attribution: Floats, change: Floats) -> Floats:
    """[sample] share of the classes with an attribution and a change whose signs agree; NaN without such a class."""
    both = (attribution != 0) & (change != 0)
    agree = both & (np.sign(attribution) == np.sign(change))
    counted = both.sum(axis=1)
    share: Floats = np.divide(agree.sum(axis=1), counted, out=np.full(len(both), np.nan), where=counted > 0)
    return share


def hits(attribution: Floats, change: Floats) -> Floats:
    """[sample] 1 where the class of largest attribution loses most, shared among equal losers; NaN for constants."""
    named = attribution.argmax(axis=1)
    most = change == change.max(axis=1, keepdims=True)
    share = most[np.arange(len(named)), named] / most.sum(axis=1)
    return np.where(constant_rows(attribution) | constant_rows(change), np.nan, share)


def strongest(attribution: Floats, change: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Each sample's class of largest attribution, that attribution, and the class's true change."""
    named = attribution.argmax(axis=1)
    row = np.arange(len(named))
    return named, attribution[row, named], change[row, named]


def _mean_correlation(one: Floats, two: Floats, weights: Floats) -> Floats:
    if not len(one):
        return np.full(len(weights), np.nan)
    found = weighted_correlation(rankdata(one, axis=0), rankdata(two, axis=0), weights)
    known = ~np.isnan(found)
    above, count = np.where(known, found, 0).sum(axis=1), known.sum(axis=1)
    mean: Floats = np.divide(above, count, out=np.full(len(found), np.nan), where=count > 0)
    return mean
