"""Which icon each icon starts from: that of the cell around it in the next coarser level."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.integer]


def parent_rows(places: Places, fine: int, coarser: Places, coarse: int) -> NDArray[np.intp]:
    """For each cell of a level, the row of the cell that holds it in a coarser one; -1 where there is none.

    Args:
        places: (row, column) of the cells, [cell, 2].
        fine: cells a side of their level.
        coarser: (row, column) of the coarser level's cells, [cell, 2].
        coarse: cells a side of that level; where it does not divide ``fine``, no cell lies within one of it.
    """
    if fine % coarse:
        return np.full(len(places), -1, np.intp)
    rows: Mapping[tuple[int, int], int] = {(int(y), int(x)): row for row, (y, x) in enumerate(coarser)}
    above = places.astype(np.int64) * coarse // fine
    return np.array([rows.get((int(y), int(x)), -1) for y, x in above], np.intp)
