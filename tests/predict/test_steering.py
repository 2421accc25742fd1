import numpy as np
import pytest

from pipeline.core.bootstrap import row_weights, weighted_interval
from pipeline.predict.steering import (
    DIRECTIONS,
    SteeringTrials,
    direction_means,
    lifts,
    mean_by_cell,
    percentile_ceiling,
    percentiles,
    steering_directions,
    steering_scores,
    top_classes,
    trial_weights,
    unit_directions,
)

CELLS, TRIALS, CLASSES = 20, 5, 40
RANDOM = np.random.default_rng(0)
TOP = np.stack([RANDOM.permutation(CLASSES)[:3] for _ in range(CELLS)])
CELL = np.repeat(np.arange(CELLS), TRIALS)
IMAGE = np.concatenate([RANDOM.permutation(25)[:TRIALS] for _ in range(CELLS)])
WEIGHTS = trial_weights(CELL, IMAGE, 300, seed=0)


def changes(strength: float) -> np.ndarray:
    """Noise for four directions; the first raises the top classes of each trial's cell by ``strength``."""
    found = np.random.default_rng(1).normal(size=(4, len(CELL), CLASSES))
    for trial, cell in enumerate(CELL):
        found[0, trial, TOP[cell]] += strength
    return found


def test_top_classes_that_rise_are_found() -> None:
    """A planted rise lifts the percentile over every control; the controls stay at a half."""
    scores = steering_scores(changes(2.0), CELL, TOP)
    found = {name: weighted_interval(values) for name, values in direction_means(scores.percentile, WEIGHTS).items()}
    assert found["own"].low > 0.8
    for name in ("gaussian", "shuffled", "other"):
        assert found[name].low < 0.5 < found[name].high
    assert all(weighted_interval(values).low > 0.25 for values in lifts(scores.percentile, WEIGHTS).values())
    assert weighted_interval(direction_means(scores.rise, WEIGHTS)["own"]).value == pytest.approx(
        2.0 * (1 - 3 / CLASSES), abs=0.3
    )


def test_nothing_is_found_where_nothing_rises() -> None:
    """Without a planted rise, the intervals of all lifts hold zero."""
    scores = steering_scores(changes(0.0), CELL, TOP)
    for values in lifts(scores.percentile, WEIGHTS).values():
        found = weighted_interval(values)
        assert found.low < 0 < found.high


def test_percentiles_go_from_0_to_1_and_ties_meet() -> None:
    """The class with the smallest change is at 0, with the largest at 1; ties share their mean."""
    assert percentiles(np.array([3.0, 1.0, 2.0])).tolist() == [1, 0, 0.5]
    assert percentiles(np.zeros(5)).tolist() == [0.5] * 5


def test_the_ceiling_is_what_a_perfect_cell_reaches() -> None:
    """Top classes that all rise most reach the ceiling and no more."""
    top = np.array([[2, 0, 1], [4, -1, -1]])
    rise = np.tile(np.array([5.0, 4.0, 6.0, 0.0, 1.0]), (4, 2, 1))
    rise[:, 1, 4] = 9
    scores = steering_scores(rise, np.array([0, 1]), top)
    assert scores.percentile[0].mean() == pytest.approx(percentile_ceiling(top, 5)) == (0.75 + 1) / 2


def test_trials_without_effect_do_not_count() -> None:
    """A trial without effect in any direction is left out; a cell without any other is unknown."""
    planted = changes(2.0)
    planted[:, :TRIALS] = 0.0
    planted[:, TRIALS] = 0.0
    scores = steering_scores(planted, CELL, TOP)
    without_effect = slice(TRIALS + 1)
    assert np.isnan(scores.percentile[:, without_effect]).all()
    assert (~scores.effective).sum() == TRIALS + 1
    assert np.array_equal(
        scores.percentile[:, TRIALS + 1 :], steering_scores(changes(2.0), CELL, TOP).percentile[:, TRIALS + 1 :]
    )
    of_cell = mean_by_cell(scores.percentile[0], CELL, CELLS)
    assert np.isnan(of_cell[0])
    assert of_cell[1] == pytest.approx(scores.percentile[0, TRIALS + 1 : 2 * TRIALS].mean())


def test_a_missing_control_is_unknown() -> None:
    """Without another cell, its control has no value and the others do."""
    planted = changes(2.0)
    planted[3] = np.nan
    found = lifts(steering_scores(planted, CELL, TOP).percentile, WEIGHTS)
    assert np.isnan(found["other"]).all()
    assert not np.isnan(found["gaussian"]).any()


def test_every_cell_has_the_same_weight() -> None:
    """The estimate is the mean over cells of each one's mean, however many trials it has."""
    cell, image = np.array([0, 0, 0, 1]), np.array([0, 1, 2, 0])
    scores = np.tile([0.2, 0.4, 0.6, 1.0], (4, 1))
    found = direction_means(scores, trial_weights(cell, image, 20, seed=0))
    assert found["own"][0] == pytest.approx((0.4 + 1.0) / 2)


def test_intervals_cover_where_images_are_shared() -> None:
    """Intervals cover effects of images that several cells share; resampled over cells alone they do not."""
    cells, per_cell, images, repeats = 24, 6, 24, 200
    cell = np.repeat(np.arange(cells), per_cell)
    covered = dict.fromkeys(("value", "lift", "cells alone"), 0)
    for repeat in range(repeats):
        random = np.random.default_rng(repeat)
        image = np.concatenate([random.permutation(images)[:per_cell] for _ in range(cells)])
        lift = random.normal(0.2, 0.1, images)[image] + random.normal(0, 0.1, cells)[cell]
        control = random.normal(0.5, 0.1, (images, 3))[image].T
        scores = np.concatenate([(control[0] + lift)[None], control]) + random.normal(0, 0.05, (4, len(cell)))
        weights = trial_weights(cell, image, 200, seed=repeat)
        alone = row_weights(np.random.default_rng([repeat, 2]), [cell], 200)
        truths = {
            "value": (direction_means(scores, weights)["own"], 0.7),
            "lift": (lifts(scores, weights)["gaussian"], 0.2),
            "cells alone": (lifts(scores, alone)["gaussian"], 0.2),
        }
        for name, (values, truth) in truths.items():
            found = weighted_interval(values)
            covered[name] += found.low <= truth <= found.high
    assert 0.90 <= covered["value"] / repeats <= 0.99
    assert 0.90 <= covered["lift"] / repeats <= 0.99
    assert covered["cells alone"] / repeats < 0.88


def test_top_classes_have_the_largest_positive_attribution() -> None:
    """The three largest positive attributions, largest first; never negative ones, nor most of all classes."""
    attribution = np.array([[1.0, 5, -2, 3, 4, 0], [-1, -1, 2, 0, -3, -1], [-1, -1, -1, -1, -1, 0]])
    assert top_classes(attribution).tolist() == [[1, 4, 3], [2, -1, -1], [-1, -1, -1]]
    assert top_classes(attribution[:, :2]).tolist() == [[1], [-1], [-1]]


def test_directions_have_the_same_length() -> None:
    """Own, random, shuffled and another cell's direction: all of length 1, each what its name says."""
    random = np.random.default_rng(3)
    mean = random.normal(size=16)
    units = unit_directions(mean + random.normal(size=(5, 16)), mean)
    trials = SteeringTrials(np.array([0, 0, 1]), np.zeros(3, np.int64))
    found = dict(zip(DIRECTIONS, steering_directions(units, np.array([4, 2]), trials, range(3), seed=0), strict=True))
    for values in found.values():
        assert np.linalg.norm(values, axis=1) == pytest.approx([1, 1, 1])
    assert np.array_equal(found["own"], units[[4, 4, 2]])
    assert np.sort(found["shuffled"], axis=1) == pytest.approx(np.sort(found["own"], axis=1))
    others = [np.flatnonzero((units == row).all(axis=1)).item() for row in found["other"]]
    assert others[0] != 4
    assert others[2] != 2
    assert not np.allclose(found["gaussian"][0], found["gaussian"][1])


def test_directions_do_not_depend_on_the_batch() -> None:
    """A trial has the same controls in every batch."""
    units = unit_directions(np.random.default_rng(4).normal(size=(6, 8)), np.zeros(8))
    trials = SteeringTrials(np.zeros(7, np.int64), np.zeros(7, np.int64))
    whole = steering_directions(units, np.array([1]), trials, range(7), seed=0)
    cut = [steering_directions(units, np.array([1]), trials, span, seed=0) for span in (range(3), range(3, 7))]
    assert np.array_equal(whole, np.concatenate(cut, axis=1))


def test_a_cell_at_the_mean_has_no_direction() -> None:
    """A cell whose mean is the layer's mean has the direction NaN."""
    assert np.isnan(unit_directions(np.ones((1, 4)), np.ones(4))).all()
