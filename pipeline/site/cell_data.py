"""Data of each cell of a level: top classes, labels, exemplars, icon origin, and related cells.

Related cells are similar ones of the same level, and those of other layers that share samples.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.core.cells import CellAssignment
from pipeline.parallel.process import single_threaded_blas

Keys = NDArray[np.uint8]

RANKS = 5  # classes that come into question for the name of a cell or a region
NEIGHBORS = 6  # similar cells listed for each cell
COSINES_IN_MEMORY = 2**23  # 32 MiB
DECIMALS = 5  # further digits depend on the order of a sum, which should seldom decide between two cells


class IconOrigin(IntEnum):
    """What an icon's optimization started from. The viewer uses the same numbers."""

    UNKNOWN = 0
    NOISE = 1
    PARENT = 2  # the icon of the parent cell
    SAME = 3  # not optimized: it is the parent cell's icon
    EXEMPLAR = 4  # the patch of the cell's nearest exemplar


@dataclass(frozen=True)
class Neighbors:
    """The most similar drawn cells of every cell of a level.

    Attributes:
        cell: [cell, rank] indices of cells, the most similar first, -1 where there are fewer.
        cosine: [cell, rank] centered cosine of the mean activations, -1..1; NaN where there is none.
    """

    cell: NDArray[np.int64]
    cosine: NDArray[np.float32]


def top_classes(attribution: NDArray[np.float32], count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The classes of the largest mean attribution of each cell, largest first; ties by class index.

    Args:
        attribution: [cell, class], logit.
        count: classes for each cell; all of them where there are fewer.

    Returns:
        The classes and their values, both [cell, count].
    """
    order = np.argsort(-attribution, axis=1, kind="stable")[:, :count]
    return order, np.take_along_axis(attribution, order, axis=1)


def top_class(attribution: NDArray[np.float32]) -> NDArray[np.int64]:
    """The class of each cell's largest mean attribution [cell], from [cell, class]; -1 where none were recorded."""
    if not attribution.shape[1]:
        return np.full(len(attribution), -1)
    return top_classes(attribution, 1)[0][:, 0]


def attribution_strength(attribution: NDArray[np.float32]) -> float:
    """Strength of a layer's attributions: the median over cells of the largest attribution [cell, class], logit."""
    return float(np.median(attribution.max(axis=1))) if attribution.size else 0.0


def planes_per_block(cells: int, limit: int = 2**16) -> int:
    """Number of classes or channels whose planes [plane, cell] share a data file of at most ``limit`` numbers."""
    return max(1, limit // max(1, cells))


def exemplar_positions(
    exemplar: NDArray[np.int64], image: NDArray[np.int64], position: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Image and position of every exemplar.

    Args:
        exemplar: [cell, rank] rows of samples, -1 where there are fewer.
        image: [sample] row of each sample's image.
        position: [sample, 2] (y, x) in the layer's map.

    Returns:
        The image rows [cell, rank], -1 for none, and the positions [cell, rank, 2], 0 for none.
    """
    there = exemplar >= 0
    row = np.where(there, exemplar, 0)
    return np.where(there, image[row], -1), np.where(there[..., None], position[row], 0).astype(np.int64)


def icon_origins(key: Keys, parent: Keys, coarser: Keys) -> NDArray[np.uint8]:
    """[icon] what each icon's optimization started from, as :class:`IconOrigin`.

    Args:
        key: [icon, 32] keys in the icon cache; zeros where an icon could not be drawn.
        parent: [icon, 32] keys of the icons or patches that they started from; zeros for noise.
        coarser: [icon, 32] keys of the coarser level's icons.
    """
    known = {name.tobytes() for name in coarser if name.any()}
    same = np.array([name.tobytes() in known for name in key], bool)
    from_icon = np.array([name.tobytes() in known for name in parent], bool)
    found = np.where(parent.any(axis=1), np.where(from_icon, IconOrigin.PARENT, IconOrigin.EXEMPLAR), IconOrigin.NOISE)
    found = np.where(same, IconOrigin.SAME, found)
    return np.where(key.any(axis=1), found, IconOrigin.UNKNOWN).astype(np.uint8)


def nearest_cells(
    activation: NDArray[np.float32],
    drawn: NDArray[np.bool_],
    mean: NDArray[np.float32],
    count: int = NEIGHBORS,
    in_memory: int = COSINES_IN_MEMORY,
) -> Neighbors:
    """The most similar drawn cells of every drawn cell, by the centered cosine of their mean activations.

    Ties are broken by the order of the cells. A cell whose mean activation equals the layer's mean has no direction:
    its cosine with every other cell is 0.

    Args:
        activation: [cell, channel] mean activations.
        drawn: [cell] whether the cell has an icon; other cells neither have neighbors nor are neighbors.
        mean: [channel] mean activation of the layer.
        count: cells listed for each.
        in_memory: cosines in memory at a time.
    """
    known = np.flatnonzero(drawn)
    unit = _directions(activation[known], mean)
    found = Neighbors(np.full((len(drawn), count), -1), np.full((len(drawn), count), np.nan, np.float32))
    step = max(1, in_memory // max(1, len(known)))
    for start in range(0, len(known), step):
        rows = np.arange(start, min(start + step, len(known)))
        with single_threaded_blas():
            cosine = np.round(unit[rows] @ unit.T, DECIMALS)
        cosine[np.arange(len(rows)), rows] = -np.inf  # no cell is its own neighbor
        row, column, rank = _largest(cosine, min(count, len(known) - 1))
        found.cell[known[rows[row]], rank] = known[column]
        found.cosine[known[rows[row]], rank] = cosine[row, column]
    return found


@dataclass(frozen=True)
class SampleCells:
    """The cells of an atlas's samples at one layer.

    Attributes:
        sample: [point] rows in activations.
        levels: by cells per side, coarse to fine.
        drawn: [cell] for each of them, which cells have an icon.
    """

    sample: NDArray[np.int64]
    levels: Mapping[int, CellAssignment]
    drawn: Mapping[int, NDArray[np.bool_]]

    @property
    def finest(self) -> CellAssignment:
        """The level whose cells all others are unions of."""
        return self.levels[max(self.levels)]

    def cell_of_sample(self, size: int, samples: int) -> NDArray[np.int64]:
        """[sample] the drawn cell of this level that each sample lies in, -1 for none.

        Args:
            size: cells per side.
            samples: number of samples in activations.
        """
        level = self.levels[size]
        found = np.full(samples, -1)
        found[self.sample] = np.where(self.drawn[size][level.of_point], level.of_point, -1)
        return found


def label_counts(level: CellAssignment, label: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Number of samples of each class in each cell [class, cell].

    Args:
        level: the cells.
        label: [point] class of the image that the point comes from, -1 where it has none.
        classes: number of classes.
    """
    cells, known = len(level.cell), label >= 0
    return np.bincount(label[known] * cells + level.of_point[known], minlength=classes * cells).reshape(classes, cells)


def shared_cells(
    own: CellAssignment, there: NDArray[np.int64], cells: int, most: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The cells of another layer that hold most of the samples of each cell.

    Args:
        own: the cells of this layer.
        there: [point] the cell of the other layer that the same sample lies in, -1 for none.
        cells: number of cells of the other layer.
        most: cells listed for each.

    Returns:
        The other cells [cell, most], largest share first, ties in reading order, -1 for none; and the share of the
        cell's samples that each holds [cell, most].
    """
    both = there >= 0
    pairs, count = np.unique(own.of_point[both] * cells + there[both], return_counts=True)
    cell, found = np.divmod(pairs, cells)
    order = np.lexsort((found, -count, cell))
    rank = np.arange(len(order)) - np.searchsorted(cell[order], cell[order])
    listed, rank = order[rank < most], rank[rank < most]
    others = np.full((len(own.cell), most), -1)
    shares = np.zeros((len(own.cell), most), np.float32)
    others[cell[listed], rank] = found[listed]
    shares[cell[listed], rank] = count[listed] / own.count[cell[listed]]
    return others, shares


def largest_share(own: CellAssignment, cell: int, there: NDArray[np.int64]) -> tuple[int, float] | None:
    """The cell of another layer that holds most of one cell's samples.

    Args:
        own: the level that the cell belongs to.
        cell: its index.
        there: [point] the other layer's drawn cell that the same sample lies in, -1 for none.

    Returns:
        The other cell's index and its share of the samples; None where no sample lies in a drawn cell.
    """
    found = there[own.of_point == cell]
    counts = np.bincount(found[found >= 0], minlength=1)
    best = int(counts.argmax())
    return (best, float(counts[best] / len(found))) if counts[best] else None


def _directions(activation: NDArray[np.float32], mean: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vectors from the mean to each activation [cell, channel]; zero for one that equals the mean."""
    centered = activation - mean
    length = np.linalg.norm(centered, axis=1, keepdims=True)
    length[length == 0] = 1
    unit: NDArray[np.float32] = (centered / length).astype(np.float32, copy=False)
    return unit


def _largest(values: NDArray[np.float32], count: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Row, column and rank of the ``count`` largest values of each row [row, column]; ties by column."""
    if count < 1:
        return (np.empty(0, np.intp),) * 3
    last = values.shape[1] - count
    least = np.partition(values, last, axis=1)[:, last, None]
    row, column = np.nonzero(values >= least)  # more than `count` in a row where several values tie for the last place
    order = np.lexsort((column, -values[row, column], row))
    row, column = row[order], column[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    within = rank < count
    return row[within], column[within], rank[within]
