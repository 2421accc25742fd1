"""Identical rows, found once, so that they share one place in the layout.

After a ReLU many samples can be exactly equal. Left in, they fill each other's neighbour lists, and UMAP no longer
repeats (lmcinnes/umap#1277).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 65536


@dataclass(frozen=True)
class Distinct:
    """The different rows among many.

    Attributes:
        first: [distinct] the first row of each kind, ascending.
        inverse: [row] index into ``first`` of the row that each row equals.
    """

    first: NDArray[np.int64]
    inverse: NDArray[np.int64]


def distinct_rows(rows: NDArray[np.float32]) -> Distinct:
    """Group equal rows of a [row, channel] array; 0 and -0 are equal, rows must be finite."""
    keys = _row_hashes(rows)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    if not _all_equal(rows, first[inverse]):  # two different rows share a hash: practically never
        _, first, inverse = np.unique(rows + np.float32(0), axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return Distinct(first[order], rank[inverse.ravel()])


def _row_hashes(rows: NDArray[np.float32]) -> NDArray[np.uint64]:
    """A 64-bit hash of each row's bytes: a random linear form modulo 2^64, mixed once more."""
    weights = np.random.default_rng(0).integers(1, 2**64, size=rows.shape[1], dtype=np.uint64) | np.uint64(1)
    hashes = np.empty(len(rows), np.uint64)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK] + np.float32(0)  # turns -0 into 0
        hashes[start : start + BLOCK] = block.view(np.uint32).astype(np.uint64) @ weights
    hashes ^= hashes >> np.uint64(29)
    return hashes * np.uint64(0xBF58476D1CE4E5B9)


def _all_equal(rows: NDArray[np.float32], like: NDArray[np.int64]) -> bool:
    return all(
        np.array_equal(rows[start : start + BLOCK], rows[like[start : start + BLOCK]])
        for start in range(0, len(rows), BLOCK)
    )
