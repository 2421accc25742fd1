"""The cells of an atlas => the few figures that the automatic tour speaks of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.cells import CellAssignment

POPULATED = 0.75  # quantile of the drawn cells' samples; cells with fewer are not looked at


@dataclass(frozen=True)
class Cells:
    """The cells of one grid level.

    Attributes:
        size: cells a side of the whole grid.
        cell: [cell, 2] (row, column).
        count: [cell] samples.
        drawn: [cell] whether it has an icon.
        attribution: [cell, class] logit; no class where none were recorded.
        reliability: [cell] NaN where it is not known.
        fidelity: [cell] centred, of its icon; NaN without one.
    """

    size: int
    cell: NDArray[np.int32]
    count: NDArray[np.int64]
    drawn: NDArray[np.bool_]
    attribution: NDArray[np.float32]
    reliability: NDArray[np.float32]
    fidelity: NDArray[np.float32]


@dataclass(frozen=True)
class Spot:
    """A drawn cell.

    Attributes:
        index: in its level's cells.
        place: level, row, column.
        samples: in it.
        reliability, fidelity: of the cell; the latter centred; NaN where it is not known.
        class_: the one of largest attribution, -1 where none speaks for it.
        value: that attribution, logit.
    """

    index: int
    place: tuple[int, int, int]
    samples: int
    reliability: float
    fidelity: float
    class_: int
    value: float


@dataclass(frozen=True)
class Glimpse:
    """What the tour tells of one atlas.

    Attributes:
        layer: of it.
        atlas: its name.
        samples: in all its cells.
        drawn: cells of the level that the spots are of.
        surest: of its fullest cells, the one that is most certain, see :func:`surest`.
        loudest: the cell with the largest attribution of all, None where no class speaks for any.
        first: drawn cells in which the loudest cell's class comes first.
    """

    layer: str
    atlas: str
    samples: int
    drawn: int
    surest: Spot
    loudest: Spot | None
    first: int


def glimpse(layer: str, atlas: str, levels: Sequence[Cells]) -> Glimpse | None:
    """Look at the finest of these levels that has drawn cells; None without any.

    Args:
        layer: of the atlas.
        atlas: its name.
        levels: coarse to fine, cut where the tour ends to look: its caller gives those down to the middle one.
    """
    looked = [cells for cells in levels if cells.drawn.any()]
    if not looked:
        return None
    cells = looked[-1]
    strongest = cells.attribution.max(axis=1, initial=0.0)
    loudest = spot(cells, int(np.where(cells.drawn, strongest, -1.0).argmax()))
    speaks = loudest.class_ >= 0
    comes_first = cells.drawn & (strongest > 0) & (_classes(cells) == loudest.class_) if speaks else cells.drawn[:0]
    return Glimpse(
        layer=layer,
        atlas=atlas,
        samples=int(cells.count.sum()),
        drawn=int(cells.drawn.sum()),
        surest=spot(cells, surest(cells)),
        loudest=loudest if speaks else None,
        first=int(comes_first.sum()),
    )


def spot(cells: Cells, index: int) -> Spot:
    """The cell of this index."""
    row, column = (int(value) for value in cells.cell[index])
    value = float(cells.attribution[index].max(initial=0.0))
    return Spot(
        index=index,
        place=(cells.size, row, column),
        samples=int(cells.count[index]),
        reliability=float(cells.reliability[index]),
        fidelity=float(cells.fidelity[index]),
        class_=int(_classes(cells)[index]) if value > 0 else -1,
        value=value,
    )


def surest(cells: Cells) -> int:
    """The index of the most certain cell: neither its samples nor its icon leave much doubt.

    Of the fullest quarter of the drawn cells it is the one where the smaller of reliability and centred fidelity is
    largest; what is not known is left out, and of equal ones the first is taken.
    """
    full = cells.drawn & (cells.count >= np.quantile(cells.count[cells.drawn], POPULATED))
    certain = np.nan_to_num(np.fmin(cells.reliability, cells.fidelity), nan=-2.0)
    return int(np.where(full, certain, -3.0).argmax())


def most_of(own: CellAssignment, cell: int, there: NDArray[np.int64]) -> tuple[int, float] | None:
    """Where most of a cell's samples lie at another layer.

    Args:
        own: the level that the cell is of.
        cell: its index.
        there: [point] the other layer's drawn cell that the same sample lies in, -1 for none.

    Returns:
        The other cell's index and its share of the samples; None where none lies in a drawn cell.
    """
    found = there[own.of_point == cell]
    tally = np.bincount(found[found >= 0], minlength=1)
    best = int(tally.argmax())
    return (best, float(tally[best] / len(found))) if tally[best] else None


def _classes(cells: Cells) -> NDArray[np.int64]:
    """[cell] the class of largest attribution; -1 where attributions were not recorded."""
    if not cells.attribution.shape[1]:
        return np.full(len(cells.cell), -1)
    classes: NDArray[np.int64] = cells.attribution.argmax(axis=1)
    return classes
