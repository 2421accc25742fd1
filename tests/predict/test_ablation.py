import numpy as np
import pytest
from scipy.stats import spearmanr

from pipeline.core.bootstrap import row_weights
from pipeline.predict.ablation import (
    agreement,
    constant_rows,
    hits,
    row_correlation,
    sign_agreement,
    weighted_correlation,
    weighted_median,
)
from pipeline.predict.measurement import rounded_changes

RANDOM = np.random.default_rng(0)
ATTRIBUTION = RANDOM.normal(size=(60, 12))
LABEL = np.where(np.arange(60) % 3, np.arange(60) % 12, -1)
WEIGHTS = row_weights(np.random.default_rng([0, 2]), [np.arange(60)], 20)


def test_rank_correlation_is_scipys_with_ties() -> None:
    """Row by row Spearman's, ties sharing their mean rank; a constant row has none."""
    one, two = RANDOM.integers(0, 4, (2, 30, 9)).astype(float)
    one[3] = 2.0
    found = row_correlation(one, two)
    for row in set(range(30)) - {3}:
        assert found[row] == pytest.approx(spearmanr(one[row], two[row]).statistic)
    assert np.isnan(found[3])


def test_a_monotone_drop_is_fully_predicted() -> None:
    """Where the drop increases with attribution, every measure is 1; elsewhere correlations are −1 and hits 0."""
    found = {name: values[0] for name, values in agreement(ATTRIBUTION, ATTRIBUTION**3, LABEL, WEIGHTS).items()}
    assert found == pytest.approx(dict.fromkeys(found, 1.0))
    against = {name: values[0] for name, values in agreement(ATTRIBUTION, -ATTRIBUTION, LABEL, WEIGHTS).items()}
    assert [against[name] for name in ("within", "within_median", "across", "own_label")] == pytest.approx([-1] * 4)
    assert against["sign"] == against["hit"] == 0


def test_shuffled_attributions_predict_nothing() -> None:
    """Attributions of other samples give correlations around 0, signs at 1/2 and hits at one in twelve."""
    found = agreement(np.roll(ATTRIBUTION, 7, axis=0), ATTRIBUTION, LABEL, WEIGHTS)
    for name in ("within", "within_median", "across", "own_label"):
        assert abs(found[name][0]) < 0.25
    assert abs(found["sign"][0] - 0.5) < 0.1
    assert found["hit"][0] < 0.25


def test_across_and_within_differ() -> None:
    """A class profile common to all samples counts within a sample and not across samples."""
    profile = np.linspace(-5, 5, 12)
    found = agreement(profile + 0.01 * ATTRIBUTION, profile + 0.01 * RANDOM.normal(size=(60, 12)), LABEL, WEIGHTS)
    assert found["within"][0] > 0.95
    assert abs(found["across"][0]) < 0.2


def test_constants_are_left_out() -> None:
    """Samples without attribution or without change are counted and do not lower a mean."""
    attribution, drop = ATTRIBUTION.copy(), ATTRIBUTION.copy()
    attribution[:5], drop[5:7] = 0.0, 0.0
    assert constant_rows(attribution).sum() == 5
    assert constant_rows(drop).sum() == 2
    found = agreement(attribution, drop, LABEL, WEIGHTS)
    assert [found[name][0] for name in ("within", "hit", "sign")] == pytest.approx([1, 1, 1])
    assert np.isnan(hits(attribution, drop)[:7]).all()
    assert np.isnan(sign_agreement(attribution, drop)[:7]).all()


def test_without_labels_there_is_no_measure_of_them() -> None:
    """Images without a class leave the own-class measure unknown and the others unchanged."""
    found = agreement(ATTRIBUTION, ATTRIBUTION, np.full(60, -1), WEIGHTS)
    assert np.isnan(found["own_label"]).all()
    assert found["across"][0] == pytest.approx(1)


def test_ties_share_a_hit() -> None:
    """Where the class of largest attribution ties for the largest drop, it counts as its fraction of the tie."""
    drop = np.array([[1.0, 1, 1, 0], [0, 3, 1, 2]])
    assert hits(np.array([[4.0, 3, 2, 1], [1, 2, 3, 4]]), drop) == pytest.approx([1 / 3, 0])


def test_rounding_is_no_change() -> None:
    """Differences at float32's own rounding become equal; real ones keep their value."""
    base = np.array([20.0, -3.0, 5.0])
    logits = np.stack([base, base + np.array([1e-6, -1e-6, 2e-6]), base - np.array([0.5, 0, 0.001])])[:, None]
    steps = rounded_changes(logits)[:, 0]
    assert (steps[:2] == 0).all()
    assert steps[2] == pytest.approx([-0.5, 0, -0.001], abs=1e-4)


def test_weighted_statistics_are_those_of_rows_drawn_again() -> None:
    """With ones as weights the median and the correlation are numpy's, else those of the repeated rows."""
    random = np.random.default_rng(0)
    values, other = random.normal(size=(2, 31))
    ones = np.ones((1, 31))
    assert weighted_median(values, ones)[0] == np.median(values)
    assert weighted_median(values[:30], ones[:, :30])[0] == pytest.approx(np.median(values[:30]))
    found = weighted_correlation(values[:, None], other[:, None], ones)
    assert found[0, 0] == pytest.approx(np.corrcoef(values, other)[0, 1])
    holes = np.where(np.arange(31) % 3 == 0, np.nan, values)
    assert weighted_median(holes, ones)[0] == pytest.approx(np.nanmedian(holes))
    values, other = np.random.default_rng(1).normal(size=(2, 20))
    weights = row_weights(np.random.default_rng([4, 2]), [np.repeat(np.arange(10), 2)], 30)
    for number, counts in enumerate(weights):
        rows = np.repeat(np.arange(20), counts.astype(int))
        assert weighted_median(values, weights)[number] == pytest.approx(np.median(values[rows]))
        drawn = weighted_correlation(values[:, None], other[:, None], weights)[number, 0]
        assert drawn == pytest.approx(np.corrcoef(values[rows], other[rows])[0, 1])


def test_a_constant_has_no_correlation() -> None:
    """A constant column is NaN, and a resample in which one becomes constant is NaN there alone."""
    weights = np.array([[1.0, 1, 1], [2, 1, 0], [3, 0, 0]])
    values = np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 5.0]])
    found = weighted_correlation(values, values, weights)
    assert np.isnan(found[:, 0]).all()
    assert found[:2, 1] == pytest.approx([1, 1])
    assert np.isnan(found[2, 1])
