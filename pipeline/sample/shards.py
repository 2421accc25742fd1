"""Rows that arrive in batches, written in whole shards."""

from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core.artifacts import Artifact
from pipeline.core.store import SHARD_BYTES, add_array, power_of_two


class ShardWriter:
    """Collects equally long blocks of several arrays and writes them shard by shard.

    Memory holds at most one shard of each array. Use as a context manager: the last, shorter shard is written when the
    block ends well.
    """

    def __init__(self, group: zarr.Group, artifact: Artifact, shapes: dict[str, tuple[int, ...]], rows: int) -> None:
        """Create the arrays ``shapes`` (shape of one row, by name), ``rows`` long, in ``group``."""
        widest = max(int(np.prod(shape, dtype=np.int64)) * 4 for shape in shapes.values())
        self._shard_rows = power_of_two(SHARD_BYTES // max(widest, 1))
        self._arrays = {
            name: add_array(group, artifact, name, (rows, *shape), shard_rows=self._shard_rows)
            for name, shape in shapes.items()
        }
        self._rows = rows
        self._held: list[dict[str, NDArray[Any]]] = []
        self._held_rows = 0
        self._written = 0

    def append(self, block: dict[str, NDArray[Any]]) -> None:
        """Take the next rows: one array [row, ...] for each name."""
        self._held.append(block)
        self._held_rows += len(next(iter(block.values())))
        while self._held_rows >= self._shard_rows:
            self._write(self._shard_rows)

    def close(self) -> None:
        """Write what is left."""
        if self._held_rows:
            self._write(self._held_rows)
        if self._written != self._rows:
            raise RuntimeError(f"expected {self._rows} rows, got {self._written}")

    def _write(self, rows: int) -> None:
        held = {name: np.concatenate([block[name] for block in self._held]) for name in self._arrays}
        for name, array in self._arrays.items():
            array[self._written : self._written + rows] = held[name][:rows]
        self._written += rows
        self._held_rows -= rows
        self._held = [{name: values[rows:] for name, values in held.items()}] if self._held_rows else []
