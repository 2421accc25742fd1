"""Rows of activations, met in blocks, so that a million of them need no memory of their own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core.moments import row_blocks

BLOCK = 8192  # rows of an array that lies in memory


@dataclass(frozen=True)
class Rows:
    """Rows of a stored array or of one in memory, of any number type, always handed out as float32.

    Attributes:
        source: [row, channel].
        chosen: rows of the source, ascending, each once; None for all.
    """

    source: NDArray[Any] | zarr.Array[Any]
    chosen: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return self.source.shape[0] if self.chosen is None else len(self.chosen)

    @property
    def channels(self) -> int:
        """Length of a row."""
        return int(self.source.shape[1])

    def at(self, positions: NDArray[np.int64]) -> "Rows":
        """Some of these rows.

        Args:
            positions: ascending, each once.
        """
        return Rows(self.source, positions if self.chosen is None else self.chosen[positions])

    def blocks(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """The rows in order, as (position of the first, block [row, channel])."""
        for start, block in _source_blocks(self.source):
            if self.chosen is None:
                yield start, block.astype(np.float32, copy=False)
                continue
            first, last = np.searchsorted(self.chosen, [start, start + len(block)])
            if last > first:
                yield int(first), block[self.chosen[first:last] - start].astype(np.float32, copy=False)

    def whole(self) -> NDArray[np.float32]:
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
