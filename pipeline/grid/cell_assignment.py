"""Which cell each sample of an atlas is assigned to: its finest cell, and the coarser cells that contain that one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.core.cells import CellAssignment, assign_cells, flat_cells


@dataclass(frozen=True, eq=False)
class SampleAssignment:
    """The cells of an atlas's samples; cells are in reading order.

    Attributes:
        label: [sample] int32, the finest cell of every sample of the layer; ``len(levels[-1].cell)`` where it is not
            in the atlas.
        levels: coarse to fine, with the finest cells as their points.
        counts: for each level the samples of each cell.
    """

    label: NDArray[np.int32]
    levels: tuple[CellAssignment, ...]
    counts: tuple[NDArray[np.int64], ...]

    @property
    def outside(self) -> int:
        """The label of samples that are not in the atlas; also the number of finest cells."""
        return len(self.levels[-1].cell)

    @property
    def ancestors(self) -> NDArray[np.int64]:
        """[level, finest cell] the cell of each level that a finest cell lies in."""
        return np.stack([level.of_point for level in self.levels])

    @property
    def level_slices(self) -> list[slice]:
        """Each level's cells among those of all levels, one level after the other."""
        starts = np.cumsum([0, *(len(level.cell) for level in self.levels)]).tolist()
        return [slice(start, stop) for start, stop in pairwise(starts)]


def assign_samples(
    blocks: Iterable[tuple[NDArray[np.int64], NDArray[np.floating]]], samples: int, sizes: Sequence[int]
) -> SampleAssignment:
    """Assign all samples to cells.

    Args:
        blocks: (rows in activations [point], coordinates [point, 2] in 0..1), which together are the layout.
        samples: number of samples of the layer.
        sizes: cells a side, ascending; each divides the last.

    Raises:
        ValueError: a sample has two points.
    """
    finest = sizes[-1]
    flat = np.full(samples, finest * finest, np.int32)
    points = 0
    for sample, xy in blocks:
        flat[sample] = flat_cells(xy, finest)
        points += len(sample)
    count = np.bincount(flat, minlength=finest * finest + 1)[:-1]
    if count.sum() != points:
        raise ValueError(f"{points} points for {count.sum()} samples")
    cells = np.flatnonzero(count)
    index = np.full(finest * finest + 1, len(cells), np.int32)
    index[cells] = np.arange(len(cells))
    centers = (np.stack([cells % finest, cells // finest], axis=1) + 0.5) / finest
    levels = tuple(assign_cells(centers, sizes))
    counts = tuple(np.bincount(level.of_point, count[cells], len(level.cell)).astype(np.int64) for level in levels)
    return SampleAssignment(index[flat], levels, counts)


def nested_order(ancestors: NDArray[np.int64]) -> NDArray[np.int32]:
    """Rank [finest cell] in an order in which the finest cells of any coarser cell are consecutive.

    Args:
        ancestors: [level, finest cell], coarse to fine.
    """
    rank = np.empty(ancestors.shape[1], np.int32)
    rank[np.lexsort(ancestors[::-1])] = np.arange(ancestors.shape[1])
    return rank
