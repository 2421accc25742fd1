"""The steering test: do a cell's top classes rise when activations of other images are steered toward the cell?

A cell's direction points from the layer's mean activation to the cell's mean activation. It is added to activations of
images that have no sample in the cell, scaled to the activation's own norm. Controls are equally long directions:
Gaussian noise, the cell's own direction with its channels shuffled, and the direction of another cell.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from pipeline.config.predict import PredictSettings
from pipeline.core.bootstrap import row_weights, weighted_mean
from pipeline.core.cells import flat_cells
from pipeline.predict.measurement import InterventionRunner, SamplePositions, intervals, rounded

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

DIRECTIONS = ("own", "gaussian", "shuffled", "other")
TOP_CLASSES = 3


@dataclass(frozen=True)
class SteeringLevel:
    """The cells of one grid level, and the cell of every point of the layout.

    Attributes:
        size: cells per side.
        cell: [cell, 2] (row, column).
        drawn: [cell] the cell has enough samples.
        activation: [cell, channel] mean activation.
        attribution: [cell, class] mean attribution, logit.
        flat_cell: [point] the cell ``row · size + column`` of each point of the layout.
        sample: [point] its row in activations.
    """

    size: int
    cell: NDArray[np.int32]
    drawn: NDArray[np.bool_]
    activation: Floats
    attribution: Floats
    flat_cell: Rows
    sample: Rows


@dataclass(frozen=True)
class SteeringTrials:
    """Trials of the steering test: each adds one cell's direction to one sample of an image not seen in the cell.

    Attributes:
        cell: [trial] index of the tested cell.
        row: [trial] row of the sample.
    """

    cell: Rows
    row: Rows


@dataclass(frozen=True)
class SteeringPlan:
    """Which cells are tested, and in which trials.

    Attributes:
        tested: [tested cell] index into the level's cells.
        top_classes: [tested cell, rank] see :func:`top_classes`.
        units: [drawn cell, channel] directions of length 1.
        unit: [tested cell] index into ``units``.
        trials: of the tested cells, by their index.
        without_class: drawn cells without a top class or without a direction.
    """

    tested: Rows
    top_classes: Rows
    units: Floats
    unit: Rows
    trials: SteeringTrials
    without_class: int


def plan_steering(
    level: SteeringLevel, mean: Floats, samples: SamplePositions, settings: PredictSettings, seed: int
) -> SteeringPlan:
    """Draw the tested cells, and for each of them unseen images and their samples.

    Args:
        level: the cells.
        mean: [channel] mean activation of the layer.
        samples: all samples of the layer.
        settings: of the stage.
        seed: of the run.
    """
    classes = top_classes(level.attribution)
    units = unit_directions(level.activation, mean)
    with_direction = level.drawn & ~np.isnan(units).any(axis=1)
    usable = with_direction & (classes >= 0).any(axis=1)
    tested = draw_cells(usable, settings.cells, seed)
    flat = level.cell[tested].astype(np.int64) @ np.array([level.size, 1])
    trials = draw_trials(level.flat_cell, level.sample, samples.image, flat, settings.images, seed)
    unit = np.searchsorted(np.flatnonzero(with_direction), tested)
    without_class = int(level.drawn.sum() - usable.sum())
    return SteeringPlan(tested, classes[tested], units[with_direction], unit, trials, without_class)


def flat_cells_at(xy: NDArray[np.floating], size: int, finest: int) -> Rows:
    """The cell [point] of each point as ``row · size + column``, found at the finest level as in the stage ``grid``.

    Args:
        xy: [point, 2] in 0..1, x to the right, y downwards.
        size: cells per side of the level.
        finest: cells per side of the grid's finest level, a multiple of ``size``.
    """
    row_column = np.stack(np.divmod(flat_cells(xy, finest), finest), axis=1) // (finest // size)
    flat: Rows = row_column @ np.array([size, 1])
    return flat


def draw_cells(usable: NDArray[np.bool_], count: int, seed: int) -> Rows:
    """``count`` of the usable cells, drawn by the seed alone: choosing strong cells would flatter the layer."""
    indices = np.flatnonzero(usable)
    return np.sort(np.random.default_rng([seed, 3]).permutation(indices)[:count])


def draw_trials(cells: Rows, sample: Rows, image: Rows, tested: Rows, count: int, seed: int) -> SteeringTrials:
    """For each tested cell, one sample of each of ``count`` images that have no sample in the cell.

    Args:
        cells: [point] the flat cell of each point of the layout.
        sample: [point] its row in activations.
        image: [sample] row of each sample's image.
        tested: [cell] the flat cell of each tested cell.
        count: images per cell; fewer where there are not as many such images.
        seed: of the draw.
    """
    by_image = np.argsort(image, kind="stable")
    names, first, counts = np.unique(image[by_image], return_index=True, return_counts=True)
    trial_cells, rows = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for number, flat in enumerate(tested):
        random = np.random.default_rng([seed, 4, int(flat)])
        unseen = np.flatnonzero(~np.isin(names, image[sample[cells == flat]]))
        chosen = random.permutation(unseen)[:count]
        within = (random.random(len(chosen)) * counts[chosen]).astype(np.int64)
        trial_cells.append(np.full(len(chosen), number))
        rows.append(by_image[first[chosen] + within])
    return SteeringTrials(np.concatenate(trial_cells), np.concatenate(rows))


def top_classes(attribution: Floats) -> NDArray[np.int64]:
    """[cell, 3] the classes of largest positive mean attribution, largest first; -1 where there are fewer.

    Never more than half of all classes, which would include next to everything.
    """
    count = min(TOP_CLASSES, attribution.shape[1] // 2)
    order = np.argsort(-attribution, axis=1, kind="stable")[:, :count]
    return np.where(np.take_along_axis(attribution, order, axis=1) > 0, order, -1)


def unit_directions(activation: Floats, mean: Floats) -> Floats:
    """[cell, channel] from the layer's mean activation to each cell's, of length 1; NaN where they are equal."""
    difference = activation - mean
    length = np.linalg.norm(difference, axis=1, keepdims=True)
    units: Floats = np.divide(difference, length, out=np.full(difference.shape, np.nan), where=length > 0)
    return units


def steering_directions(units: Floats, tested: Rows, trials: SteeringTrials, span: range, seed: int) -> Floats:
    """[direction, trial, channel] of length 1: the cell's own and its controls, drawn anew for every trial.

    ``gaussian`` is drawn from a normal distribution, ``shuffled`` is the cell's own with its channels shuffled,
    ``other`` is that of another cell (zeros where there is none).

    Args:
        units: [cell, channel] directions of all cells that controls may be drawn from.
        tested: [tested cell] index into ``units``.
        trials: the trials.
        span: which of them.
        seed: of the controls.
    """
    directions = np.empty((len(DIRECTIONS), len(span), units.shape[1]))
    for index, number in enumerate(span):
        random = np.random.default_rng([seed, 5, number])
        cell = int(tested[trials.cell[number]])
        noise = random.normal(size=units.shape[1])
        other = (cell + 1 + random.integers(max(1, len(units) - 1))) % len(units)
        directions[0, index] = units[cell]
        directions[1, index] = noise / np.linalg.norm(noise)
        directions[2, index] = random.permutation(units[cell])
        directions[3, index] = units[other] if other != cell else 0
    return directions


def steer(
    runner: InterventionRunner, plan: SteeringPlan, samples: SamplePositions, strength: float, seed: int
) -> Floats:
    """[direction, trial, class] logits after steering minus before; NaN for ``other`` where there is a single cell.

    Args:
        runner: of the network.
        plan: the tested cells and trials.
        samples: all samples of the layer.
        strength: length of what is added, as a fraction of the activation's norm.
        seed: of the controls.
    """
    rows = plan.trials.row
    positions = SamplePositions(samples.image[rows], samples.position[rows])
    keep = np.ones(1 + len(DIRECTIONS))

    def add(span: range) -> Floats:
        directions = strength * steering_directions(plan.units, plan.unit, plan.trials, span, seed)
        return np.concatenate([np.zeros_like(directions[:1]), directions])

    changes = runner.logit_changes(f"{runner.layer}: steered activations", positions, keep, add, relative=True)[1:]
    if len(plan.units) == 1:
        changes[-1] = np.nan
    return changes


def steering_results(
    level: SteeringLevel,
    plan: SteeringPlan,
    samples: SamplePositions,
    changes: Floats,
    settings: PredictSettings,
    seed: int,
) -> dict[str, Any]:
    """Percentile and rise of the top classes, for the cells' own directions and for each control.

    Intervals are over cells and images.
    """
    scores = steering_scores(changes, plan.trials.cell, plan.top_classes)
    percentile, rise = scores.percentile[:, scores.effective], scores.rise[:, scores.effective]
    image = samples.image[plan.trials.row[scores.effective]]
    weights = trial_weights(plan.trials.cell[scores.effective], image, settings.resamples, seed)
    cell_percentiles = mean_by_cell(scores.percentile[0], plan.trials.cell, len(plan.tested))
    cells = [
        {
            "cell": level.cell[cell].tolist(),
            "classes": classes[classes >= 0].tolist(),
            "percentile": rounded(float(own)),
        }
        for cell, classes, own in zip(plan.tested, plan.top_classes, cell_percentiles, strict=True)
    ]
    return {
        "level": level.size,
        "drawn": int(level.drawn.sum()),
        "tested": len(plan.tested),
        "without_class": plan.without_class,
        "without_effect": int(np.isnan(cell_percentiles).sum()),
        "trials": len(plan.trials.row),
        "images": len(np.unique(image)),
        "trials_without_effect": int((~scores.effective).sum()),
        "strength": settings.strength,
        "ceiling": rounded(percentile_ceiling(plan.top_classes, changes.shape[2])),
        "percentile": intervals(direction_means(percentile, weights)),
        "lift": intervals(lifts(percentile, weights)),
        "rise": intervals(direction_means(rise, weights)),
        "rise_lift": intervals(lifts(rise, weights)),
        "cells": cells,
    }


@dataclass(frozen=True)
class SteeringScores:
    """How each trial changes the logits of its cell's top classes; NaN for trials or directions without effect.

    Attributes:
        percentile: [direction, trial] mean percentile of the top classes among all logit changes; 0.5 by chance.
        rise: [direction, trial] their mean change minus that of all classes, logit.
        effective: [trial] whether any direction changed any logit.
    """

    percentile: Floats
    rise: Floats
    effective: NDArray[np.bool_]


def steering_scores(changes: Floats, cell: Rows, classes: Rows) -> SteeringScores:
    """Scores of every trial.

    Args:
        changes: [direction, trial, class] logits after minus before; NaN for a direction that is missing.
        cell: [trial] index of the tested cell.
        classes: [cell, rank] its top classes, -1 for none.
    """
    trial_classes = classes[cell]
    percentile = _top_class_mean(percentiles(changes), trial_classes)
    rise = _top_class_mean(changes - changes.mean(axis=2, keepdims=True), trial_classes)
    spread = np.nan_to_num(np.ptp(changes, axis=2))
    effective = (spread > 0).any(axis=0)
    return SteeringScores(np.where(effective, percentile, np.nan), np.where(effective, rise, np.nan), effective)


def percentiles(changes: Floats) -> Floats:
    """The percentile of every class among all changes, 0 (smallest) to 1 (largest); ties share their mean."""
    ranks: Floats = rankdata(changes, axis=-1)
    found: Floats = (ranks - 1) / (changes.shape[-1] - 1)
    return found


def percentile_ceiling(classes: Rows, class_count: int) -> float:
    """The largest possible mean percentile: all top classes of each cell change most, in any order.

    Args:
        classes: [cell, rank] top classes, -1 for none.
        class_count: classes of the network.
    """
    counts = (classes >= 0).sum(axis=1)
    return float(np.mean(1 - (counts - 1) / 2 / (class_count - 1)))


def trial_weights(cell: Rows, image: Rows, resamples: int, seed: int) -> Floats:
    """[1 + resamples, trial] weights of the mean over cells of the mean over each cell's trials.

    An image that is steered for several cells makes their scores alike, so cells and images are both resampled.

    Args:
        cell: [trial] index of the tested cell.
        image: [trial] the image that is steered.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    _, of_trial, counts = np.unique(cell, return_inverse=True, return_counts=True)
    weights: Floats = row_weights(np.random.default_rng([seed, 2]), [cell, image], resamples) / counts[of_trial]
    return weights


def direction_means(scores: Floats, weights: Floats) -> Mapping[str, Floats]:
    """[weighting] mean of scores [direction, trial] under :func:`trial_weights`, by direction."""
    return {name: weighted_mean(values, weights) for name, values in zip(DIRECTIONS, scores, strict=True)}


def lifts(scores: Floats, weights: Floats) -> Mapping[str, Floats]:
    """[weighting] mean of own minus control under :func:`trial_weights`, by control: paired trial by trial."""
    return {
        name: weighted_mean(scores[0] - values, weights)
        for name, values in zip(DIRECTIONS[1:], scores[1:], strict=True)
    }


def mean_by_cell(values: Floats, cell: Rows, cells: int) -> Floats:
    """[cell] mean over the trials [trial] of each without those that are NaN; NaN for a cell without any."""
    known = ~np.isnan(values)
    count = np.bincount(cell[known], minlength=cells)
    total = np.bincount(cell[known], values[known], minlength=cells)
    mean: Floats = np.divide(total, count, out=np.full(cells, np.nan), where=count > 0)
    return mean


def _top_class_mean(values: Floats, classes: Rows) -> Floats:
    """[direction, trial] mean of values [direction, trial, class] over each trial's classes [trial, rank]."""
    known = classes >= 0
    selected = np.take_along_axis(values, np.maximum(classes, 0)[None], axis=2)
    mean: Floats = np.where(known, selected, 0).sum(axis=2) / known.sum(axis=1)
    return mean
