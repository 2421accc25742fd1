"""The cell of each sample at every layer; labels per cell, and cells of other layers that share samples."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.cells import CellAssignment


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
