import numpy as np
import pytest
from scipy.stats import spearmanr

from pipeline.predict.bootstrap import weightings
from pipeline.predict.passes import resolved
from pipeline.predict.replacement import constant_rows, hits, measures, row_correlation, sign_agreement

RANDOM = np.random.default_rng(0)
ATTRIBUTION = RANDOM.normal(size=(60, 12))
LABEL = np.where(np.arange(60) % 3, np.arange(60) % 12, -1)
WEIGHTS = weightings(np.arange(60), 20, seed=0)


def test_rank_correlation_is_scipys_with_ties() -> None:
    """Row by row Spearman's, ties sharing their mean rank; a constant row has none."""
    one, two = RANDOM.integers(0, 4, (2, 30, 9)).astype(float)
    one[3] = 2.0
    found = row_correlation(one, two)
    for row in set(range(30)) - {3}:
        assert found[row] == pytest.approx(spearmanr(one[row], two[row]).statistic)
    assert np.isnan(found[3])


def test_a_monotone_change_is_fully_foretold() -> None:
    """Where the change follows the attribution, every measure is 1; against it, correlations are −1 and none hits."""
    found = {name: values[0] for name, values in measures(ATTRIBUTION, ATTRIBUTION**3, LABEL, WEIGHTS).items()}
    assert found == pytest.approx(dict.fromkeys(found, 1.0))
    against = {name: values[0] for name, values in measures(ATTRIBUTION, -ATTRIBUTION, LABEL, WEIGHTS).items()}
    assert [against[name] for name in ("within", "within_median", "across", "own")] == pytest.approx([-1] * 4)
    assert against["sign"] == against["hit"] == 0


def test_shuffled_attributions_foretell_nothing() -> None:
    """Attributions of other samples give correlations around 0, signs at 1/2 and hits at one in twelve."""
    found = measures(np.roll(ATTRIBUTION, 7, axis=0), ATTRIBUTION, LABEL, WEIGHTS)
    for name in ("within", "within_median", "across", "own"):
        assert abs(found[name][0]) < 0.25
    assert abs(found["sign"][0] - 0.5) < 0.1
    assert found["hit"][0] < 0.25


def test_across_and_within_are_told_apart() -> None:
    """A profile of classes that all samples share counts within a sample and not across samples."""
    profile = np.linspace(-5, 5, 12)
    found = measures(profile + 0.01 * ATTRIBUTION, profile + 0.01 * RANDOM.normal(size=(60, 12)), LABEL, WEIGHTS)
    assert found["within"][0] > 0.95
    assert abs(found["across"][0]) < 0.2


def test_constants_are_left_out() -> None:
    """Samples without an attribution, or that nothing changed, are found and do not pull a mean down."""
    attribution, change = ATTRIBUTION.copy(), ATTRIBUTION.copy()
    attribution[:5], change[5:7] = 0.0, 0.0
    assert constant_rows(attribution).sum() == 5
    assert constant_rows(change).sum() == 2
    found = measures(attribution, change, LABEL, WEIGHTS)
    assert [found[name][0] for name in ("within", "hit", "sign")] == pytest.approx([1, 1, 1])
    assert np.isnan(hits(attribution, change)[:7]).all()
    assert np.isnan(sign_agreement(attribution, change)[:7]).all()


def test_without_labels_there_is_no_measure_of_them() -> None:
    """Images without a class leave the own-class measure unknown, and the others as they are."""
    found = measures(ATTRIBUTION, ATTRIBUTION, np.full(60, -1), WEIGHTS)
    assert np.isnan(found["own"]).all()
    assert found["across"][0] == pytest.approx(1)


def test_equal_losers_share_a_hit() -> None:
    """Where all classes but one lose equally most, the named one among them counts as its share."""
    change = np.array([[1.0, 1, 1, 0], [0, 3, 1, 2]])
    assert hits(np.array([[4.0, 3, 2, 1], [1, 2, 3, 4]]), change) == pytest.approx([1 / 3, 0])


def test_rounding_is_no_change() -> None:
    """Differences at float32's own rounding become equal; real ones keep their value."""
    base = np.array([20.0, -3.0, 5.0])
    logits = np.stack([base, base + np.array([1e-6, -1e-6, 2e-6]), base - np.array([0.5, 0, 0.001])])[:, None]
    steps = resolved(logits)[:, 0]
    assert (steps[:2] == 0).all()
    assert steps[2] == pytest.approx([-0.5, 0, -0.001], abs=1e-4)
