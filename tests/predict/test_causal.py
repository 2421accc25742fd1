import numpy as np
import pytest

from pipeline.predict.bootstrap import interval, weightings
from pipeline.predict.causal import ceiling, lifts, mean_by_cell, percentiles, push_scores, push_weightings, summaries

CELLS, PUSHES, CLASSES = 20, 5, 40
RANDOM = np.random.default_rng(0)
NAMED = np.stack([RANDOM.permutation(CLASSES)[:3] for _ in range(CELLS)])
CELL = np.repeat(np.arange(CELLS), PUSHES)
IMAGE = np.concatenate([RANDOM.permutation(25)[:PUSHES] for _ in range(CELLS)])
WEIGHTS = push_weightings(CELL, IMAGE, 300, seed=0)


def rises(strength: float) -> np.ndarray:
    """Noise for four directions; the first raises the named classes of each push's cell by ``strength``."""
    found = np.random.default_rng(1).normal(size=(4, len(CELL), CLASSES))
    for push, cell in enumerate(CELL):
        found[0, push, NAMED[cell]] += strength
    return found


def test_named_classes_that_rise_are_found() -> None:
    """A planted rise lifts the percentile over every control; the controls stay at a half."""
    scores = push_scores(rises(2.0), CELL, NAMED)
    found = {name: interval(values) for name, values in summaries(scores.percentile, WEIGHTS).items()}
    assert found["own"].low > 0.8
    for name in ("gaussian", "shuffled", "other"):
        assert found[name].low < 0.5 < found[name].high
    assert all(interval(values).low > 0.25 for values in lifts(scores.percentile, WEIGHTS).values())
    assert interval(summaries(scores.rise, WEIGHTS)["own"]).value == pytest.approx(2.0 * (1 - 3 / CLASSES), abs=0.3)


def test_nothing_is_found_where_nothing_rises() -> None:
    """Without a planted rise, the intervals of all lifts hold zero."""
    scores = push_scores(rises(0.0), CELL, NAMED)
    for values in lifts(scores.percentile, WEIGHTS).values():
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
    scores = push_scores(rise, np.array([0, 1]), named)
    assert scores.percentile[0].mean() == pytest.approx(ceiling(named, 5)) == (0.75 + 1) / 2


def test_pushes_without_effect_do_not_count() -> None:
    """A push that moves nothing in any direction is left out; a cell with none else is unknown."""
    planted = rises(2.0)
    planted[:, :PUSHES] = 0.0
    planted[:, PUSHES] = 0.0
    scores = push_scores(planted, CELL, NAMED)
    still = slice(PUSHES + 1)
    assert np.isnan(scores.percentile[:, still]).all()
    assert (~scores.moved).sum() == PUSHES + 1
    assert np.array_equal(
        scores.percentile[:, PUSHES + 1 :], push_scores(rises(2.0), CELL, NAMED).percentile[:, PUSHES + 1 :]
    )
    of_cell = mean_by_cell(scores.percentile[0], CELL, CELLS)
    assert np.isnan(of_cell[0])
    assert of_cell[1] == pytest.approx(scores.percentile[0, PUSHES + 1 : 2 * PUSHES].mean())


def test_a_missing_control_is_unknown() -> None:
    """Without another cell, its control has no value and the others do."""
    planted = rises(2.0)
    planted[3] = np.nan
    found = lifts(push_scores(planted, CELL, NAMED).percentile, WEIGHTS)
    assert np.isnan(found["other"]).all()
    assert not np.isnan(found["gaussian"]).any()


def test_every_cell_counts_alike() -> None:
    """The estimate is the mean over cells of each one's mean, however many pushes it has."""
    cell, image = np.array([0, 0, 0, 1]), np.array([0, 1, 2, 0])
    scores = np.tile([0.2, 0.4, 0.6, 1.0], (4, 1))
    found = summaries(scores, push_weightings(cell, image, 20, seed=0))
    assert found["own"][0] == pytest.approx((0.4 + 1.0) / 2)


def test_intervals_cover_where_images_are_shared() -> None:
    """Images that lift every cell they are pushed for widen the intervals enough; over cells alone they miss."""
    cells, pushes, images, trials = 24, 6, 24, 200
    cell = np.repeat(np.arange(cells), pushes)
    covered = dict.fromkeys(("value", "lift", "cells alone"), 0)
    for trial in range(trials):
        random = np.random.default_rng(trial)
        image = np.concatenate([random.permutation(images)[:pushes] for _ in range(cells)])
        lift = random.normal(0.2, 0.1, images)[image] + random.normal(0, 0.1, cells)[cell]
        control = random.normal(0.5, 0.1, (images, 3))[image].T
        scores = np.concatenate([(control[0] + lift)[None], control]) + random.normal(0, 0.05, (4, len(cell)))
        weights = push_weightings(cell, image, 200, seed=trial)
        alone = weightings(cell, 200, seed=trial)
        truths = {
            "value": (summaries(scores, weights)["own"], 0.7),
            "lift": (lifts(scores, weights)["gaussian"], 0.2),
            "cells alone": (lifts(scores, alone)["gaussian"], 0.2),
        }
        for name, (values, truth) in truths.items():
            found = interval(values)
            covered[name] += found.low <= truth <= found.high
    assert 0.90 <= covered["value"] / trials <= 0.99
    assert 0.90 <= covered["lift"] / trials <= 0.99
    assert covered["cells alone"] / trials < 0.88
