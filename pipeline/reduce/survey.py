"""The first look at activations: which rows are finite, which are zero, and which are the same."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.reduce.distinct import PARTS, row_hashes
from pipeline.reduce.rows import Rows


@dataclass(frozen=True)
class Survey:
    """What is known of each row.

    Attributes:
        finite: [row].
        nonzero: [row] some channel is not zero.
        hashes: [row, 2] the same for equal rows.
    """

    finite: NDArray[np.bool_]
    nonzero: NDArray[np.bool_]
    hashes: NDArray[np.uint64]


def survey(rows: Rows) -> Survey:
    """Go once through the rows."""
    seen = Survey(np.empty(len(rows), bool), np.empty(len(rows), bool), np.empty((len(rows), PARTS), np.uint64))
    for start, block in rows.blocks():
        here = slice(start, start + len(block))
        seen.finite[here] = np.isfinite(block).all(axis=1)
        seen.nonzero[here] = block.any(axis=1)
        seen.hashes[here] = row_hashes(block)
    return seen
