import numpy as np
import pytest

from pipeline.predict.bootstrap import interval, weightings
from pipeline.predict.causal import ceiling, cell_scores, lifts, percentiles, summaries

CELLS, PUSHES, CLASSES = 20, 5, 40
RANDOM = np.random.default_rng(0)
NAMED = np.stack([RANDOM.permutation(CLASSES)[:3] for _ in range(CELLS)])
CELL = np.repeat(np.arange(CELLS), PUSHES)


def rises(strength: float) -> np.ndarray:
    """Noise for four directions; the first raises the named classes of each push's cell by ``strength``."""
    found = np.random.default_rng(1).normal(size=(4, len(CELL), CLASSES))
    for push, cell in enumerate(CELL):
        found[0, push, NAMED[cell]] += strength
    return found


def test_named_classes_that_rise_are_found() -> None:
    """A planted rise lifts the percentile over every control; the controls stay at a half."""
    scores = cell_scores(rises(2.0), CELL, NAMED)
    weights = weightings(np.arange(CELLS), 300, seed=0)
    found = {name: interval(values) for name, values in summaries(scores.percentile, weights).items()}
    assert found["own"].low > 0.8
    for name in ("gaussian", "shuffled", "other"):
        assert found[name].low < 0.5 < found[name].high
    assert all(interval(values).low > 0.25 for values in lifts(scores.percentile, weights).values())
    assert interval(summaries(scores.rise, weights)["own"]).value == pytest.approx(2.0 * (1 - 3 / CLASSES), abs=0.3)


def test_nothing_is_found_where_nothing_rises() -> None:
    """Without a planted rise, the intervals of all lifts hold zero."""
    scores = cell_scores(rises(0.0), CELL, NAMED)
    for values in lifts(scores.percentile, weightings(np.arange(CELLS), 300, seed=0)).values():
        found = interval(values)
        assert found.low < 0 < found.high


def test_percentiles_go_from_0_to_1_and_ties_meet() -> None:
    """The class that rises least is at 0, most at 1; equal ones share the place between."""
    assert percentiles(np.array([3.0, 1.0, 2.0])).tolist() == [1, 0, 0.5]
    assert percentiles(np.zeros(5)).tolist() == [0.5] * 5


def test_the_ceiling_is_what_a_perfect_cell_reaches() -> None:
    """Named classes that all rise most reach the ceiling and no more."""
    named = np.array([[2, 0, 1], [4, -1, -1]])
    rise = np.tile(np.array([5.0, 4.0, 6.0, 0.0, 1.0]), (4, 2, 1))
    rise[:, 1, 4] = 9
    scores = cell_scores(rise, np.array([0, 1]), named)
    assert scores.percentile[0].mean() == pytest.approx(ceiling(named, 5)) == (0.75 + 1) / 2


def test_pushes_without_effect_do_not_count() -> None:
    """A push that moves nothing in any direction is left out; a cell with none else is unknown."""
    planted = rises(2.0)
    planted[:, :PUSHES] = 0.0
    planted[:, PUSHES] = 0.0
    scores = cell_scores(planted, CELL, NAMED)
    assert np.isnan(scores.percentile[:, 0]).all()
    assert (~scores.moved).sum() == PUSHES + 1
    assert np.array_equal(scores.percentile[:, 2:], cell_scores(rises(2.0), CELL, NAMED).percentile[:, 2:])
    assert scores.percentile[0, 1] > 0.7


def test_a_missing_control_is_unknown() -> None:
    """Without another cell, its control has no value and the others do."""
    planted = rises(2.0)
    planted[3] = np.nan
    found = lifts(cell_scores(planted, CELL, NAMED).percentile, weightings(np.arange(CELLS), 50, seed=0))
    assert np.isnan(found["other"]).all()
    assert not np.isnan(found["gaussian"]).any()
