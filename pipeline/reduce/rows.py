"""Activations read in blocks of rows, a scan for broken rows, and duplicate rows.

Memory stays bounded for millions of rows: only one block is held at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core.moments import row_blocks

BLOCK = 8192  # rows per block of an array in memory
HASHES = 2  # 64-bit hashes per row: with two, a million rows collide by chance once in 10^26 layers


@dataclass(frozen=True)
class Rows:
    """Rows of a stored or an in-memory array of any number type, always returned as float32.

    Attributes:
        source: [row, channel].
        selected: indices into the source, ascending and unique; None selects all rows.
    """

    source: NDArray[Any] | zarr.Array[Any]
    selected: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return self.source.shape[0] if self.selected is None else len(self.selected)

    @property
    def channels(self) -> int:
        """Length of a row."""
        return int(self.source.shape[1])

    def take(self, indices: NDArray[np.int64]) -> "Rows":
        """A subset of these rows.

        Args:
            indices: into these rows, ascending and unique.
        """
        return Rows(self.source, indices if self.selected is None else self.selected[indices])

    def blocks(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """The rows in order, as (index of the first row, block [row, channel])."""
        for start, block in _source_blocks(self.source):
            if self.selected is None:
                yield start, block.astype(np.float32, copy=False)
                continue
            first, last = np.searchsorted(self.selected, [start, start + len(block)])
            if last > first:
                yield int(first), block[self.selected[first:last] - start].astype(np.float32, copy=False)

    def to_array(self) -> NDArray[np.float32]:
        """All rows at once, [row, channel]."""
        rows = np.empty((len(self), self.channels), np.float32)
        for start, block in self.blocks():
            rows[start : start + len(block)] = block
        return rows


def _source_blocks(source: NDArray[Any] | zarr.Array[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    if isinstance(source, zarr.Array):
        yield from row_blocks(source)
        return
    for start in range(0, len(source), BLOCK):
        yield start, source[start : start + BLOCK]


@dataclass(frozen=True)
class RowScan:
    """What one pass over the rows finds out about each of them.

    Attributes:
        finite: [row] no channel is NaN or infinite.
        nonzero: [row] some channel is not zero.
        hashes: [row, 2] uint64, equal for equal rows.
    """

    finite: NDArray[np.bool_]
    nonzero: NDArray[np.bool_]
    hashes: NDArray[np.uint64]


def scan_rows(rows: Rows) -> RowScan:
    """Read all rows once."""
    scan = RowScan(np.empty(len(rows), bool), np.empty(len(rows), bool), np.empty((len(rows), HASHES), np.uint64))
    for start, block in rows.blocks():
        span = slice(start, start + len(block))
        scan.finite[span] = np.isfinite(block).all(axis=1)
        scan.nonzero[span] = block.any(axis=1)
        scan.hashes[span] = row_hashes(block)
    return scan


def row_hashes(rows: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Hashes [row, 2] of each row's bytes; 0 and -0 are equal.

    Each is a random linear form of the bits modulo 2^64, mixed once more.
    """
    weights = np.random.default_rng(0).integers(1, 2**64, size=(rows.shape[1], HASHES), dtype=np.uint64) | np.uint64(1)
    bits = (rows + np.float32(0)).view(np.uint32).astype(np.uint64)  # adding 0 turns -0 into 0
    hashes = np.empty((len(rows), HASHES), np.uint64)
    for index in range(HASHES):
        hashes[:, index] = bits @ weights[:, index]
    hashes ^= hashes >> np.uint64(29)
    return hashes * np.uint64(0xBF58476D1CE4E5B9)


@dataclass(frozen=True)
class DistinctRows:
    """The distinct rows among many.

    After a ReLU many samples can be exactly equal. Duplicates fill each other's neighbor lists, and with them UMAP is
    not reproducible (lmcinnes/umap#1277); so each distinct row is laid out once.

    Attributes:
        first: [distinct] the first row of each kind, ascending.
        inverse: [row] index into ``first`` of the row that each row equals.
    """

    first: NDArray[np.int64]
    inverse: NDArray[np.int64]


def distinct_rows(hashes: NDArray[np.uint64]) -> DistinctRows:
    """Group equal rows by their hashes [row, 2]."""
    order = np.lexsort(hashes.T)  # stable: of equal rows the first comes first
    ordered = hashes[order]
    new = np.ones(len(order), bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    kind = np.empty(len(order), np.int64)
    kind[order] = np.cumsum(new) - 1
    first = order[new]
    rank = np.empty_like(first)
    rank[np.argsort(first)] = np.arange(len(first))
    return DistinctRows(np.sort(first), rank[kind])
