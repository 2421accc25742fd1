"""The ablation test: does attribution predict which logits fall when an activation is replaced?

An attribution estimates how much each logit would fall if its baseline, the layer's mean or zero, took the place of the
activation. The true
logit drop is measured: logits before minus logits after replacing the activation by zero, by the layer's mean, or by
the activation of another image (zero, mean and resample ablation).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from pipeline.core.bootstrap import row_weights, weighted_mean
from pipeline.predict.measurement import InterventionRunner, SamplePositions, differences, intervals

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

ABLATIONS = ("zero", "mean", "resample")
MIN_VARIANCE = 1e-12  # variances below this fraction of the largest one are rounding
POINTS = 256  # shown in the scatter plot
SIGNIFICANT_DIGITS = 4


@dataclass(frozen=True)
class AblationSamples:
    """The samples that are ablated: [sample] arrays, in the order of the draw.

    Attributes:
        positions: image and position.
        activation: [sample, channel] as recorded.
        attribution: [sample, class] as recorded, logit.
        label: class of the image, -1 where there is none.
    """

    positions: SamplePositions
    activation: Floats
    attribution: Floats
    label: NDArray[np.int64]


def draw_rows(image: Rows, count: int, seed: int) -> Rows:
    """``count`` rows of samples, in random order: one of every image before a second one of any.

    The draw depends on ``image`` alone. Row s is the same position at every layer, so all layers are tested at the same
    positions.

    Args:
        image: [sample] row of each sample's image.
        count: rows to draw; fewer are returned where there are fewer samples.
        seed: of the draw.
    """
    shuffled = np.random.default_rng([seed, 1]).permutation(len(image))
    by_image = np.argsort(image[shuffled], kind="stable")
    sorted_images = image[shuffled][by_image]
    turn = np.empty(len(image), np.int64)
    turn[by_image] = np.arange(len(image)) - np.searchsorted(sorted_images, sorted_images)
    rows: Rows = shuffled[np.argsort(turn, kind="stable")[:count]]
    return rows


def partners(image: Rows, first: int = 1) -> Rows:
    """For each drawn sample the index of another one from another image.

    It is the next such sample in cyclic order, ``first`` or more positions further on.

    Args:
        image: [sample] row of each drawn sample's image, of two images at least.
        first: where the search starts, so that two sets of partners can differ.

    Raises:
        ValueError: all samples are from one image.
    """
    count = len(image)
    found = np.full(count, -1)
    for step in range(first, first + count):
        candidate = (np.arange(count) + step) % count
        fits = (found < 0) & (image[candidate] != image)
        found[fits] = candidate[fits]
        if (found >= 0).all():
            return found
    raise ValueError("every sample is of the same image")


def logit_drops(runner: InterventionRunner, samples: AblationSamples, mean: Floats) -> dict[str, Floats]:
    """Logits before minus logits after each kind of ablation, [sample, class].

    Args:
        runner: of the network.
        samples: what is ablated.
        mean: [channel] mean activation of the layer.
    """
    other = samples.activation[partners(samples.positions.image)]
    zero = np.zeros_like(other)
    add = np.stack([zero, zero, np.broadcast_to(mean, other.shape), other])
    keep = np.array([1.0, 0, 0, 0])
    changes = runner.logit_changes(
        f"{runner.layer}: ablated activations", samples.positions, keep, lambda span: add[:, span.start : span.stop]
    )
    return {name: 0.0 - change for name, change in zip(ABLATIONS, changes[1:], strict=True)}


def ablation_results(
    samples: AblationSamples, drops: Mapping[str, Floats], estimated: Literal["mean", "zero"], resamples: int, seed: int
) -> dict[str, Any]:
    """Every measure of every kind of ablation, beside the same measures of shuffled attributions.

    ``estimated`` is the ablation whose drop an attribution estimates: that by its baseline.

    Intervals are over images. Attributions are shuffled by assigning each sample those of a sample of another image,
    the same one for every measure.
    """
    image, attribution = samples.positions.image, samples.attribution
    weights = row_weights(np.random.default_rng([seed, 2]), [image], resamples)
    shuffle = partners(image, first=max(1, len(samples.label) // 2))
    measured = {name: agreement(attribution, drop, samples.label, weights) for name, drop in drops.items()}
    shuffled = {name: agreement(attribution[shuffle], drop, samples.label, weights) for name, drop in drops.items()}
    constant = {name: int(constant_rows(drop).sum()) for name, drop in drops.items()}
    defined = ~constant_rows(attribution)
    ranked = defined & ~constant_rows(drops[estimated])
    return {
        "samples": len(samples.label),
        "images": len(np.unique(image)),
        "ranked_images": len(np.unique(image[ranked])),
        "labeled": int((samples.label >= 0).sum()),
        "classes": attribution.shape[1],
        "estimated": estimated,
        "constant": {"attribution": int((~defined).sum()), **constant},
        "measures": {name: intervals(statistics) for name, statistics in measured.items()},
        "shuffled": {name: intervals(statistics) for name, statistics in shuffled.items()},
        "lift": {name: intervals(differences(measured[name], shuffled[name])) for name in measured},
        "points": scatter_points(*top_class_drops(attribution[defined], drops[estimated][defined])),
    }


def agreement(attribution: Floats, drop: Floats, label: NDArray[np.int64], weights: Floats) -> Mapping[str, Floats]:
    """How well attributions predict logit drops: every measure for every weighting of the samples.

    ``within``, ``within_median``: rank correlation over the classes of one sample, its mean and median over samples:
    does attribution predict the right classes? ``across``: rank correlation over the samples for one class, mean over
    classes: does it predict the right samples? Ranks are those among all samples, in each resample too. ``own_label``:
    the same for each sample's label. ``sign``: fraction of classes whose logit changes in the predicted direction.
    ``hit``: fraction of samples whose class of largest attribution has the largest logit drop.

    Args:
        attribution: [sample, class] logit.
        drop: [sample, class] logits before minus logits after.
        label: [sample] class of the image, -1 where there is none.
        weights: [weighting, sample], see :func:`pipeline.core.bootstrap.row_weights`.

    Returns:
        [weighting] by measure; NaN where it is undefined.
    """
    within = row_correlation(attribution, drop)
    known = label >= 0
    own = [np.take_along_axis(values[known], label[known, None], axis=1) for values in (attribution, drop)]
    return {
        "within": weighted_mean(within, weights),
        "within_median": weighted_median(within, weights),
        "across": _mean_column_correlation(attribution, drop, weights),
        "own_label": _mean_column_correlation(own[0], own[1], weights[:, known]),
        "sign": weighted_mean(sign_agreement(attribution, drop), weights),
        "hit": weighted_mean(hits(attribution, drop), weights),
    }


def row_correlation(one: Floats, two: Floats) -> Floats:
    """[row] Spearman's rank correlation of the rows of ``one`` and ``two``; equal values share their mean rank.

    NaN where a row is constant.
    """
    ranks = [rankdata(values, axis=1) for values in (one, two)]
    centered = [rank - rank.mean(axis=1, keepdims=True) for rank in ranks]
    norms = np.sqrt((centered[0] ** 2).sum(axis=1) * (centered[1] ** 2).sum(axis=1))
    products = (centered[0] * centered[1]).sum(axis=1)
    correlation: Floats = np.divide(products, norms, out=np.full(len(one), np.nan), where=norms > 0)
    return correlation


def constant_rows(values: Floats) -> NDArray[np.bool_]:
    """[row] whether all classes have the same value, so that they cannot be ranked."""
    return np.asarray(np.ptp(values, axis=1) == 0)


def sign_agreement(attribution: Floats, drop: Floats) -> Floats:
    """[sample] fraction of the classes with nonzero attribution and drop with equal signs; NaN without such classes."""
    both = (attribution != 0) & (drop != 0)
    agree = both & (np.sign(attribution) == np.sign(drop))
    count = both.sum(axis=1)
    fraction: Floats = np.divide(agree.sum(axis=1), count, out=np.full(len(both), np.nan), where=count > 0)
    return fraction


def hits(attribution: Floats, drop: Floats) -> Floats:
    """[sample] 1 where the class of largest attribution has the largest drop, divided by the number of tied classes.

    NaN where attributions or drops are constant.
    """
    top = attribution.argmax(axis=1)
    largest = drop == drop.max(axis=1, keepdims=True)
    fraction = largest[np.arange(len(top)), top] / largest.sum(axis=1)
    return np.where(constant_rows(attribution) | constant_rows(drop), np.nan, fraction)


def top_class_drops(attribution: Floats, drop: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Each sample's class of largest attribution, that attribution, and the logit drop of the class."""
    top = attribution.argmax(axis=1)
    row = np.arange(len(top))
    return top, attribution[row, top], drop[row, top]


def scatter_points(classes: NDArray[np.int64], attribution: Floats, drop: Floats) -> list[list[float]]:
    """The first samples as [class, attribution, logit drop], to four significant digits."""
    columns = zip(classes[:POINTS].tolist(), attribution[:POINTS].tolist(), drop[:POINTS].tolist(), strict=True)
    return [[class_, _significant(one), _significant(two)] for class_, one, two in columns]


def weighted_median(values: Floats, weights: Floats) -> Floats:
    """[weighting] median of ``values`` [row] without those that are NaN."""
    order = np.argsort(values)[: int((~np.isnan(values)).sum())]
    if not len(order):
        return np.full(len(weights), np.nan)
    cumulative = np.cumsum(weights[:, order], axis=1)
    half = cumulative[:, -1:] / 2
    lower, upper = (values[order][np.argmax(found, axis=1)] for found in (cumulative >= half, cumulative > half))
    return np.where(half[:, 0] > 0, (lower + upper) / 2, np.nan)


def weighted_correlation(one: Floats, two: Floats, weights: Floats) -> Floats:
    """[weighting, column] Pearson correlation over the rows of ``one`` and ``two`` [row, column]; NaN of a constant."""
    one, two = one - one.mean(axis=0), two - two.mean(axis=0)
    total = weights.sum(axis=1, keepdims=True)
    total = np.where(total > 0, total, np.nan)
    mean_one, mean_two = weights @ one / total, weights @ two / total
    covariance = weights @ (one * two) / total - mean_one * mean_two
    variances = [weights @ x**2 / total - mean**2 for x, mean in ((one, mean_one), (two, mean_two))]
    varied = np.logical_and(*(variance > MIN_VARIANCE * np.nanmax(variance, initial=0) for variance in variances))
    product = np.where(varied, variances[0] * variances[1], np.nan)
    correlation: Floats = np.clip(covariance / np.sqrt(product), -1, 1)
    return correlation


def _mean_column_correlation(one: Floats, two: Floats, weights: Floats) -> Floats:
    if not len(one):
        return np.full(len(weights), np.nan)
    found = weighted_correlation(rankdata(one, axis=0), rankdata(two, axis=0), weights)
    known = ~np.isnan(found)
    total, count = np.where(known, found, 0).sum(axis=1), known.sum(axis=1)
    mean: Floats = np.divide(total, count, out=np.full(len(found), np.nan), where=count > 0)
    return mean


def _significant(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
