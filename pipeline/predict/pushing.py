"""The causal test of one layer's cells: drawn cells, pushed along and measured."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.predict import cells as c
from pipeline.predict.causal import ceiling, lifts, mean_by_cell, push_scores, push_weightings, summaries
from pipeline.predict.config import PredictSettings
from pipeline.predict.passes import Places, Runner
from pipeline.predict.result import figures, rounded

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Level:
    """The cells of one grid level, and where every sample lies in it.

    Attributes:
        size: cells a side.
        cell: [cell, 2] (row, column).
        drawn: [cell] the cell has enough samples.
        activation: [cell, channel] mean activation.
        attribution: [cell, class] mean attribution, logit.
        squares: [point] the square ``row · size + column`` of each point of the layout.
        sample: [point] its row in activations.
    """

    size: int
    cell: NDArray[np.int32]
    drawn: NDArray[np.bool_]
    activation: Floats
    attribution: Floats
    squares: Rows
    sample: Rows


@dataclass(frozen=True)
class Chosen:
    """What is pushed where.

    Attributes:
        tested: [tested cell] index into the level's cells.
        named: [tested cell, rank] the classes that each names, -1 for none.
        units: [drawn cell, channel] directions of length 1.
        unit: [tested cell] index into ``units``.
        pushes: of the tested cells, by their number.
        silent: drawn cells that name no class or lie at the layer's mean.
    """

    tested: Rows
    named: Rows
    units: Floats
    unit: Rows
    pushes: c.Pushes
    silent: int


def choose(level: Level, mean: Floats, samples: Places, settings: PredictSettings, seed: int) -> Chosen:
    """Draw cells, unseen images and their samples.

    Args:
        level: the cells.
        mean: [channel] mean activation of the layer.
        samples: all samples of the layer.
        settings: of the stage.
        seed: of the run.
    """
    named = c.named_classes(level.attribution)
    units = c.unit_directions(level.activation, mean)
    pushable = level.drawn & ~np.isnan(units).any(axis=1)
    usable = pushable & (named >= 0).any(axis=1)
    tested = c.draw_cells(usable, settings.cells, seed)
    squares = level.cell[tested].astype(np.int64) @ np.array([level.size, 1])
    pushes = c.draw_pushes(level.squares, level.sample, samples.image, squares, settings.images, seed)
    unit = np.searchsorted(np.flatnonzero(pushable), tested)
    silent = int(level.drawn.sum() - usable.sum())
    return Chosen(tested, named[tested], units[pushable], unit, pushes, silent)


def push(runner: Runner, chosen: Chosen, samples: Places, strength: float, seed: int) -> Floats:
    """[direction, push, class] rises of the logits; NaN for the control of another cell where there is none.

    Args:
        runner: the network.
        chosen: what is pushed where.
        samples: all samples of the layer.
        strength: length of the push, as a share of the activation's.
        seed: of the controls.
    """
    rows = chosen.pushes.row
    places = Places(samples.image[rows], samples.position[rows])
    keep = np.ones(1 + len(c.DIRECTIONS))

    def added(span: range) -> Floats:
        directions = strength * c.push_directions(chosen.units, chosen.unit, chosen.pushes, span, seed)
        return np.concatenate([np.zeros_like(directions[:1]), directions])

    rises = runner.run(f"{runner.layer}: pushed activations", places, keep, added, relative=True)[1:]
    if len(chosen.units) == 1:
        rises[-1] = np.nan
    return rises


def pushing(
    level: Level, chosen: Chosen, samples: Places, rises: Floats, settings: PredictSettings, seed: int
) -> dict[str, Any]:
    """Place and rise of the named classes for the cells' own directions and for each control.

    Intervals are over cells and images.
    """
    scores = push_scores(rises, chosen.pushes.cell, chosen.named)
    percentile, rise = scores.percentile[:, scores.moved], scores.rise[:, scores.moved]
    image = samples.image[chosen.pushes.row[scores.moved]]
    weights = push_weightings(chosen.pushes.cell[scores.moved], image, settings.resamples, seed)
    of_cell = mean_by_cell(scores.percentile[0], chosen.pushes.cell, len(chosen.tested))
    per_cell = [
        {"cell": level.cell[cell].tolist(), "classes": named[named >= 0].tolist(), "percentile": rounded(float(own))}
        for cell, named, own in zip(chosen.tested, chosen.named, of_cell, strict=True)
    ]
    return {
        "level": level.size,
        "drawn": int(level.drawn.sum()),
        "tested": len(chosen.tested),
        "silent": chosen.silent,
        "unpushed": int(np.isnan(of_cell).sum()),
        "pushes": len(chosen.pushes.row),
        "images": len(np.unique(image)),
        "still": int((~scores.moved).sum()),
        "push": settings.push,
        "ceiling": rounded(ceiling(chosen.named, rises.shape[2])),
        "percentile": figures(summaries(percentile, weights)),
        "lift": figures(lifts(percentile, weights)),
        "rise": figures(summaries(rise, weights)),
        "rise_lift": figures(lifts(rise, weights)),
        "cells": per_cell,
    }
