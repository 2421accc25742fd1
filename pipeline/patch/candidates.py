"""Grid cells of a comparison => the real samples that may turn one class into the other, most promising first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Cells:
    """The cells of one level of a comparison's grid.

    Attributes:
        size: cells a side.
        cell: [cell, 2] (row, column).
        drawn: [cell] it has enough samples to be drawn.
        attribution: [cell, class] mean attribution, logit.
        exemplar: [cell, rank] rows of samples, -1 for none.
    """

    size: int
    cell: NDArray[np.int32]
    drawn: NDArray[np.bool_]
    attribution: NDArray[np.float32]
    exemplar: NDArray[np.int64]


@dataclass(frozen=True)
class Exemplar:
    """A sample that stands for a cell.

    Attributes:
        sample: its row in activations.
        score: of its cell, see :func:`cell_scores`.
        size: cells a side of the cell's level.
        cell: (row, column) of the cell.
    """

    sample: int
    score: float
    size: int
    cell: tuple[int, int]


def cell_scores(cells: Cells, source: int, target: int, *, rightwards: bool) -> NDArray[np.float64]:
    """How far a cell lies towards the target's end, times how much more it says for the target than for the source.

    Args:
        cells: of one level.
        source: class that the images have.
        target: class that they should turn into.
        rightwards: the target's end is the right edge.

    Returns:
        [cell] above 0 for drawn cells in the target's half of the atlas that speak for it; 0 for all others.
    """
    towards = 2 * (cells.cell[:, 1] + 0.5) / cells.size - 1
    towards = towards if rightwards else -towards
    gain = cells.attribution[:, target].astype(np.float64) - cells.attribution[:, source]
    scores: NDArray[np.float64] = np.where(cells.drawn, np.maximum(towards, 0) * np.maximum(gain, 0), 0)
    return scores


def ranked_exemplars(levels: Sequence[Cells], source: int, target: int, *, rightwards: bool) -> Iterator[Exemplar]:
    """The exemplars of the cells at the target's end, best cell first, each sample once.

    Args:
        levels: of the comparison's grid; equally good cells keep this order.
        source: class that the images have.
        target: class that they should turn into.
        rightwards: the target's end is the right edge.
    """
    scores = [cell_scores(cells, source, target, rightwards=rightwards) for cells in levels]
    level = np.repeat(np.arange(len(levels)), [len(values) for values in scores])
    index = np.concatenate([np.arange(len(values)) for values in scores])
    flat = np.concatenate(scores)
    seen: set[int] = set()
    for place in np.argsort(-flat, kind="stable"):
        if flat[place] <= 0:
            return
        cells, row = levels[level[place]], int(index[place])
        where = (int(cells.cell[row, 0]), int(cells.cell[row, 1]))
        for sample in cells.exemplar[row]:
            if sample >= 0 and int(sample) not in seen:
                seen.add(int(sample))
                yield Exemplar(int(sample), float(flat[place]), cells.size, where)
