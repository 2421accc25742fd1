"""Identical rows, found once, so that they share one place in the layout.

After a ReLU many samples can be exactly equal. Left in, they fill each other's neighbour lists, and UMAP no longer
repeats (lmcinnes/umap#1277).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PARTS = 2  # 64-bit hashes of a row: with two, a million rows collide by chance once in 10^26 layers


@dataclass(frozen=True)
class Distinct:
    """The different rows among many.

    Attributes:
        first: [distinct] the first row of each kind, ascending.
        inverse: [row] index into ``first`` of the row that each row equals.
    """

    first: NDArray[np.int64]
    inverse: NDArray[np.int64]


def row_hashes(rows: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Hashes [row, 2] of each row's bytes; 0 and -0 are equal.

    Each is a random linear form of the bits modulo 2^64, mixed once more.
    """
    weights = np.random.default_rng(0).integers(1, 2**64, size=(rows.shape[1], PARTS), dtype=np.uint64) | np.uint64(1)
    bits = (rows + np.float32(0)).view(np.uint32).astype(np.uint64)  # adding 0 turns -0 into 0
    hashes = np.empty((len(rows), PARTS), np.uint64)
    for part in range(PARTS):
        hashes[:, part] = bits @ weights[:, part]
    hashes ^= hashes >> np.uint64(29)
    return hashes * np.uint64(0xBF58476D1CE4E5B9)


def grouped(hashes: NDArray[np.uint64]) -> Distinct:
    """Group rows by their hashes [row, 2]."""
    order = np.lexsort(hashes.T)  # stable: of equal rows the first comes first
    ordered = hashes[order]
    new = np.ones(len(order), bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    kind = np.empty(len(order), np.int64)
    kind[order] = np.cumsum(new) - 1
    first = order[new]
    rank = np.empty_like(first)
    rank[np.argsort(first)] = np.arange(len(first))
    return Distinct(np.sort(first), rank[kind])
