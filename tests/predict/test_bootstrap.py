import numpy as np
import pytest

from pipeline.predict.bootstrap import (
    interval,
    weighted_correlation,
    weighted_mean,
    weighted_median,
    weightings,
)


def test_the_first_weighting_is_the_plain_estimate() -> None:
    """With ones as weights, the statistics are numpy's own; missing values are left out."""
    random = np.random.default_rng(0)
    values, other = random.normal(size=(2, 31))
    weights = weightings(np.arange(31), 5, seed=0)
    assert weighted_mean(values, weights)[0] == pytest.approx(values.mean())
    assert weighted_median(values, weights)[0] == np.median(values)
    assert weighted_median(values[:30], weights[:, :30])[0] == pytest.approx(np.median(values[:30]))
    found = weighted_correlation(values[:, None], other[:, None], weights)
    assert found[0, 0] == pytest.approx(np.corrcoef(values, other)[0, 1])
    holes = np.where(np.arange(31) % 3 == 0, np.nan, values)
    assert weighted_mean(holes, weights)[0] == pytest.approx(np.nanmean(holes))
    assert weighted_median(holes, weights)[0] == pytest.approx(np.nanmedian(holes))


def test_weights_are_as_good_as_rows_drawn_again() -> None:
    """Every statistic of a weighting is that of the rows repeated as often as it says."""
    random = np.random.default_rng(1)
    values, other = random.normal(size=(2, 20))
    weights = weightings(np.repeat(np.arange(10), 2), 30, seed=4)
    assert (weights[:, ::2] == weights[:, 1::2]).all()
    for number, weighting in enumerate(weights):
        rows = np.repeat(np.arange(20), weighting.astype(int))
        assert weighted_mean(values, weights)[number] == pytest.approx(values[rows].mean())
        assert weighted_median(values, weights)[number] == pytest.approx(np.median(values[rows]))
        found = weighted_correlation(values[:, None], other[:, None], weights)[number, 0]
        assert found == pytest.approx(np.corrcoef(values[rows], other[rows])[0, 1])


def test_intervals_cover_the_truth() -> None:
    """About 95 % of intervals over images hold the truth; far fewer do where alike samples are taken for units."""
    covered = {"images": 0, "samples": 0}
    for trial in range(200):
        random = np.random.default_rng(trial)
        values = np.repeat(random.normal(0.3, 1.0, 40), 3) + random.normal(0, 0.1, 120)
        for name, unit in (("images", np.repeat(np.arange(40), 3)), ("samples", np.arange(120))):
            found = interval(weighted_mean(values, weightings(unit, 300, seed=trial)))
            covered[name] += found.low <= 0.3 <= found.high
    assert 0.90 <= covered["images"] / 200 <= 0.985
    assert covered["samples"] / 200 < 0.85


def test_a_single_unit_has_no_interval() -> None:
    """One image cannot be resampled: its estimate stands without an interval; nothing at all has neither."""
    found = interval(weighted_mean(np.array([0.2, 0.4]), weightings(np.zeros(2, np.int64), 50, seed=0)))
    assert found.value == pytest.approx(0.3)
    assert np.isnan([found.low, found.high]).all()
    nothing = interval(weighted_mean(np.full(3, np.nan), weightings(np.arange(3), 50, seed=0)))
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()


def test_a_constant_has_no_correlation() -> None:
    """A constant column is NaN, and a resample in which one becomes constant is NaN there alone."""
    weights = np.array([[1.0, 1, 1], [2, 1, 0], [3, 0, 0]])
    values = np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 5.0]])
    found = weighted_correlation(values, values, weights)
    assert np.isnan(found[:, 0]).all()
    assert found[:2, 1] == pytest.approx([1, 1])
    assert np.isnan(found[2, 1])
