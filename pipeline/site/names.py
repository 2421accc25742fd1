"""Names of cells and regions: the class that attributions support, and the label that is over-represented.

A cell is named after the class of its largest mean attribution where the samples support that: where the 95 % interval
of its difference to each other class, over resamples of the cell's images, lies above zero. Where it does not, the
classes that cannot be told from the first are its candidates: "fireboat or streetcar". A class of too small an
attribution names nothing (:func:`pipeline.site.verdict.naming`). Labels of the images judge names; they have no part in
making them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.bootstrap import COVERAGE, draw_counts
from pipeline.core.grid_levels import GridLevel
from pipeline.site.cell_data import RANKS, top_classes
from pipeline.site.regions import Regions
from pipeline.site.verdict import Naming

Blocks = Iterable[tuple[int, NDArray[Any]]]

RESAMPLES = 200
SEED = 0
FIRST = 3  # classes among which the label is looked for
NO_NAMES = Naming(np.empty((0, 0), bool), np.empty(0, bool))


@dataclass(frozen=True)
class LabelLift:
    """The most over-represented label of each cell.

    Attributes:
        class_: [cell], -1 where no label is.
        lift: [cell] its share of the cell's labeled samples by its share of all; NaN where no label is.
    """

    class_: NDArray[np.int64]
    lift: NDArray[np.float32]


@dataclass(frozen=True)
class AtlasNames:
    """What supports the names of an atlas's cells and regions.

    Attributes:
        cells: by level, which classes may name each cell; empty without attributions.
        labels: by level, the cells' most over-represented labels; of levels that have counts of labels.
        regions: of the level whose regions are named; None where none is.
        of_region: which classes may name each region.
    """

    cells: Mapping[int, Naming]
    labels: Mapping[int, LabelLift]
    regions: Regions | None
    of_region: Naming

    def metrics(self, level: GridLevel) -> dict[str, Any]:
        """Of the drawn cells of a level: how many are named, and how labels agree with the top classes."""
        if level.size not in self.cells:
            return {}
        named = self.cells[level.size].named & level.drawn
        found: dict[str, Any] = {"drawn": int(level.drawn.sum()), "named": int(named.sum())}
        if level.size not in self.labels:
            return found
        label, top = self.labels[level.size].class_, top_classes(level.attribution, RANKS)[0]
        for name, chosen in (("label_is", level.drawn), ("label_of_named_is", named)):
            shares = agreement(top, label, chosen.astype(np.float64))
            found[name] = {key: None if np.isnan(share) else round(share, 4) for key, share in shares.items()}
        return found


@dataclass(frozen=True)
class Grouping:
    """Samples in groups: the cells of a level, or the regions of a cut.

    Attributes:
        of_point: [point] the group of each, -1 for none.
        top: [group, rank] the classes that come into question for a group's name, the first of them by its mean.
        offset: [class] subtracted from attributions before they are compared.
    """

    of_point: NDArray[np.int64]
    top: NDArray[np.int64]
    offset: NDArray[np.floating]


def candidates_of_groups(
    groupings: Sequence[Grouping], blocks: Blocks, sample: NDArray[np.int64], image: NDArray[np.int64]
) -> list[NDArray[np.bool_]]:
    """The candidates of the groups of each grouping, see :func:`candidates`, with one pass over the attributions.

    Args:
        groupings: of the points.
        blocks: (first row, attribution [row, class]) of all samples, in order.
        sample: [point] row of the sample.
        image: [point] row of its image.
    """
    wanted = np.concatenate([one.top[one.of_point] for one in groupings], axis=1).astype(np.int32)
    values = np.empty(wanted.shape, np.float32)
    order = np.argsort(sample, kind="stable")
    for first, block in blocks:
        start, stop = np.searchsorted(sample[order], (first, first + len(block)))
        points = order[start:stop]
        values[points] = np.take_along_axis(block[sample[points] - first], wanted[points], axis=1)
    found, column = [], 0
    for one in groupings:
        own = slice(column, column := column + one.top.shape[1])
        compared = values[:, own] - one.offset[wanted[:, own]]
        found.append(candidates(compared, image, one.of_point, len(one.top)))
    return found


def candidates(
    values: NDArray[np.floating], image: NDArray[np.int64], group: NDArray[np.int64], groups: int
) -> NDArray[np.bool_]:
    """The classes of each group that its samples cannot tell from the class of largest mean attribution.

    Args:
        values: [sample, rank] attribution to the group's top classes, ranked by the group's mean, largest first.
        image: [sample] row of the image.
        group: [sample] the cell or region, -1 for none.
        groups: how many there are.

    Returns:
        [group, rank]; the first is always one. With samples of a single image all are, since there is nothing to
        resample.
    """
    found = np.ones((groups, values.shape[1]), bool)
    order = np.lexsort((image, group))[np.count_nonzero(group < 0) :]
    bounds = np.searchsorted(group[order], np.arange(groups + 1))
    random = np.random.default_rng(SEED)
    for index, (start, stop) in enumerate(pairwise(bounds)):
        rows = order[start:stop]
        first = np.flatnonzero(np.diff(image[rows], prepend=-1))  # of each image
        if len(first) < 2:
            continue
        differences = values[rows, :1].astype(np.float64) - values[rows, 1:]
        weights = draw_counts(random, len(first), RESAMPLES)
        samples = weights @ np.diff(first, append=len(rows))
        means = weights @ np.add.reduceat(differences, first, axis=0) / samples[:, None]
        found[index, 1:] = np.quantile(means, (1 - COVERAGE) / 2, axis=0) <= 0
    return found


def over_represented(count: NDArray[np.integer] | NDArray[np.floating]) -> LabelLift:
    """The label that is most over-represented in each cell.

    It is the one of the largest standardized excess, (count - expected) / √expected, so that a single sample of a rare
    label does not outweigh many of a common one. Expected is the label's share of all samples.

    Args:
        count: [class, cell] labeled samples.
    """
    total = count.sum(axis=1, keepdims=True, dtype=np.float64)
    in_cell = count.sum(axis=0)
    expected = total / max(total.sum(), 1) * in_cell
    excess = np.divide(count - expected, np.sqrt(expected), out=np.full(count.shape, -np.inf), where=expected > 0)
    best = excess.argmax(axis=0)
    cell = np.arange(len(in_cell))
    known = in_cell > 0
    lift = np.divide(count[best, cell], expected[best, cell], out=np.full(len(cell), np.nan), where=known)
    return LabelLift(np.where(known, best, -1), lift.astype(np.float32))


def agreement(top: NDArray[np.int64], label: NDArray[np.int64], weight: NDArray[np.floating]) -> dict[str, float]:
    """Share of the cells whose over-represented label is the first of their top classes, or among the first three.

    Args:
        top: [cell, rank].
        label: [cell], -1 for none.
        weight: [cell]; a cell of weight 0 is left out.
    """
    weight = np.where(label >= 0, weight, 0)
    same = top[:, :FIRST] == label[:, None]
    return {
        name: float(weight @ hit / weight.sum()) if weight.any() else float("nan")
        for name, hit in (("first", same[:, 0]), ("first_three", same.any(axis=1)))
    }
