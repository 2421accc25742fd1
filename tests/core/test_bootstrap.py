import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.core.bootstrap import (
    crossed_means,
    draw_counts,
    percentile_interval,
    row_weights,
    weighted_interval,
    weighted_mean,
)

PATCHES, IMAGES, RATE = 10, 40, 0.3


def weights_by(unit: NDArray[np.int64], resamples: int, seed: int) -> NDArray[np.float64]:
    """Weights of rows that are resampled by one kind of unit."""
    return row_weights(np.random.default_rng([seed, 2]), [unit], resamples)


def test_the_first_weights_give_the_plain_estimate() -> None:
    """With ones as weights, the mean is numpy's own; missing values are left out."""
    values = np.random.default_rng(0).normal(size=(2, 31))[0]
    weights = weights_by(np.arange(31), 5, seed=0)
    assert weighted_mean(values, weights)[0] == pytest.approx(values.mean())
    holes = np.where(np.arange(31) % 3 == 0, np.nan, values)
    assert weighted_mean(holes, weights)[0] == pytest.approx(np.nanmean(holes))


def test_weights_are_as_good_as_rows_drawn_again() -> None:
    """The mean under weights equals that of rows repeated by their weights; rows of a unit have equal weights."""
    values = np.random.default_rng(1).normal(size=(2, 20))[0]
    weights = weights_by(np.repeat(np.arange(10), 2), 30, seed=4)
    assert (weights[:, ::2] == weights[:, 1::2]).all()
    for number, counts in enumerate(weights):
        rows = np.repeat(np.arange(20), counts.astype(int))
        assert weighted_mean(values, weights)[number] == pytest.approx(values[rows].mean())


def test_intervals_cover_the_truth() -> None:
    """About 95 % of intervals over images hold the truth; far fewer do where correlated samples are taken for units."""
    covered = {"images": 0, "samples": 0}
    for trial in range(200):
        random = np.random.default_rng(trial)
        values = np.repeat(random.normal(0.3, 1.0, 40), 3) + random.normal(0, 0.1, 120)
        for name, unit in (("images", np.repeat(np.arange(40), 3)), ("samples", np.arange(120))):
            found = weighted_interval(weighted_mean(values, weights_by(unit, 300, seed=trial)))
            covered[name] += found.low <= 0.3 <= found.high
    assert 0.90 <= covered["images"] / 200 <= 0.985
    assert covered["samples"] / 200 < 0.85


def test_a_single_unit_has_no_interval() -> None:
    """One image cannot be resampled: its estimate has no interval; without any value there is neither."""
    found = weighted_interval(weighted_mean(np.array([0.2, 0.4]), weights_by(np.zeros(2, np.int64), 50, seed=0)))
    assert found.value == pytest.approx(0.3)
    assert np.isnan([found.low, found.high]).all()
    nothing = weighted_interval(weighted_mean(np.full(3, np.nan), weights_by(np.arange(3), 50, seed=0)))
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()


def crossed_interval(values: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """The ends of the 95 % interval of the mean of values [patch, image]."""
    random = np.random.default_rng([seed, 1])
    patches, images = draw_counts(random, len(values), 400), draw_counts(random, values.shape[1], 400)
    found = percentile_interval(float(values.mean()), crossed_means(values, patches, images))
    return found.low, found.high


def flips(seed: int, *, spread: float) -> NDArray[np.float64]:
    """Flips [patch, image] whose patches and images differ in their rates; the mean rate is ``RATE``."""
    random = np.random.default_rng([seed, 0])
    patch = random.choice([-spread, spread], (PATCHES, 1))
    image = random.choice([-spread, spread], (1, IMAGES))
    return np.asarray(random.random((PATCHES, IMAGES)) < RATE + patch + image, np.float64)


def test_crossed_intervals_cover_the_true_rate() -> None:
    """Of 300 experiments with unequal patches and images about 95 % of the intervals hold the true rate."""
    ends = np.array([crossed_interval(flips(seed, spread=0.12), seed) for seed in range(300)])
    covered = ((ends[:, 0] <= RATE) & (ends[:, 1] >= RATE)).mean()
    assert 0.88 <= covered <= 0.99


def test_answers_resampled_as_if_independent_would_cover_too_little() -> None:
    """Ignoring that the results of one patch are correlated makes intervals that miss the rate far too often."""
    covered = []
    for seed in range(300):
        values = flips(seed, spread=0.12)
        means = np.random.default_rng(seed).choice(values.ravel(), (400, values.size)).mean(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        covered.append(low <= RATE <= high)
    assert np.mean(covered) < 0.85


def test_crossed_means_are_means_of_what_was_drawn() -> None:
    """A resampled mean is the mean over drawn patches and drawn images, each as often as drawn."""
    values = np.arange(6.0).reshape(2, 3)
    patches, images = np.array([[2.0, 0.0]]), np.array([[0.0, 1.0, 2.0]])
    np.testing.assert_allclose(crossed_means(values, patches, images), [(1 + 2 + 2) / 3])
