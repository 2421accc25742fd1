"""Statistics of an atlas for the automatic tour: its most reliable cell, its class of largest attribution."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.grid_levels import GridLevel

FULL = 0.75  # quantile of the drawn cells' sample counts; cells with fewer samples are not considered


@dataclass(frozen=True, eq=False)
class TourLevel:
    """A grid level with the centered fidelity [cell] of its icons, NaN without one."""

    grid: GridLevel
    fidelity: NDArray[np.float32]


@dataclass(frozen=True)
class CellStats:
    """A drawn cell.

    Attributes:
        index: among the cells of its level.
        address: level, row, column.
        samples: number of samples.
        reliability, fidelity: of the cell; the latter centered; NaN where it is not known.
        class_: the top class by attribution, -1 where no attribution is positive.
        value: that attribution, logit.
    """

    index: int
    address: tuple[int, int, int]
    samples: int
    reliability: float
    fidelity: float
    class_: int
    value: float


@dataclass(frozen=True)
class AtlasStats:
    """Statistics of one atlas at one layer.

    Attributes:
        layer: of it.
        atlas: its name.
        samples: in all its cells.
        drawn: cells of the level that the statistics are taken from.
        most_reliable: see :func:`most_reliable`.
        strongest: the cell with the largest attribution of all, None where no attribution is positive.
        led: drawn cells whose top class is the strongest cell's class.
    """

    layer: str
    atlas: str
    samples: int
    drawn: int
    most_reliable: CellStats
    strongest: CellStats | None
    led: int


def atlas_stats(layer: str, atlas: str, levels: Sequence[TourLevel]) -> AtlasStats | None:
    """Statistics of the finest of these levels that has drawn cells; None without any.

    Args:
        layer: of the atlas.
        atlas: its name.
        levels: coarse to fine.
    """
    level = next((level for level in reversed(levels) if level.grid.drawn.any()), None)
    if level is None:
        return None
    grid = level.grid
    largest = grid.attribution.max(axis=1, initial=0.0)
    strongest = cell_stats(level, int(np.where(grid.drawn, largest, -1.0).argmax()))
    positive = strongest.class_ >= 0
    led = grid.drawn & (largest > 0) & (_top_class(grid) == strongest.class_) if positive else grid.drawn[:0]
    return AtlasStats(
        layer=layer,
        atlas=atlas,
        samples=int(grid.count.sum()),
        drawn=int(grid.drawn.sum()),
        most_reliable=cell_stats(level, most_reliable(level)),
        strongest=strongest if positive else None,
        led=int(led.sum()),
    )


def cell_stats(level: TourLevel, index: int) -> CellStats:
    """Statistics of the cell of this index."""
    grid = level.grid
    row, column = (int(value) for value in grid.cell[index])
    value = float(grid.attribution[index].max(initial=0.0))
    return CellStats(
        index=index,
        address=(grid.size, row, column),
        samples=int(grid.count[index]),
        reliability=float(grid.reliability[index]),
        fidelity=float(level.fidelity[index]),
        class_=int(_top_class(grid)[index]) if value > 0 else -1,
        value=value,
    )


def most_reliable(level: TourLevel) -> int:
    """The index of the most reliable cell: one with many samples, a reliable mean and a faithful icon.

    Of the fullest quarter of the drawn cells it is the one with the largest minimum of reliability and centered
    fidelity. Unknown values are left out; of ties the first is taken.
    """
    grid = level.grid
    full = grid.drawn & (grid.count >= np.quantile(grid.count[grid.drawn], FULL))
    score = np.nan_to_num(np.fmin(grid.reliability, level.fidelity), nan=-2.0)
    return int(np.where(full, score, -3.0).argmax())


def _top_class(grid: GridLevel) -> NDArray[np.int64]:
    """[cell] the class of largest attribution; -1 where attributions were not recorded."""
    if not grid.attribution.shape[1]:
        return np.full(len(grid), -1)
    classes: NDArray[np.int64] = grid.attribution.argmax(axis=1)
    return classes
