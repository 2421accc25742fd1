"""Tasks of the two passes: each reads some rows of the activations once, and stores what follows from them.

How the rows are split depends on the arrays alone, so that neither memory nor disk overflows and no result depends on
the workers.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core import zarr_store
from pipeline.core.artifacts import ACTIVATIONS
from pipeline.core.malloc import keep_memory
from pipeline.core.moments import block_bounds
from pipeline.core.resumable import TaskResults
from pipeline.grid.exemplars import cosines_to_means
from pipeline.grid.sums import MAX_RUN, GroupSums
from pipeline.parallel.process import torch_threads

Item = TypeVar("Item")

CELL_MEANS = "means"  # the task that computes the means of cells from sums, see pipeline.grid.two_pass
BLOCK_FACTOR = 2  # blocks of 64 MiB as stored: several rows of a cell fall into one, and Zarr reads many chunks at once
SUM_BYTES = 2**29  # of the sums that one task holds; channels that do not fit are summed in a further task
MAX_SUM_TASKS = 32
READ_PER_WRITTEN = 2  # a task reads at least so many times the bytes that it stores
COSINE_BLOCKS = 4  # of a task that stores next to nothing; while one block is processed, the next is read


@dataclass(frozen=True)
class Span:
    """Rows that one task reads.

    Attributes:
        blocks: (start, stop) of each block; none is empty.
    """

    blocks: tuple[tuple[int, int], ...]

    @property
    def start(self) -> int:
        """The first row."""
        return self.blocks[0][0]

    @property
    def stop(self) -> int:
        """The row after the last."""
        return self.blocks[-1][1]


@dataclass(frozen=True)
class SumSlice:
    """Rows and channels that one task sums.

    Attributes:
        array: of the activations artifact.
        first: of its channels (or classes).
        last: the channel after the last.
        span: the rows.
    """

    array: str
    first: int
    last: int
    span: Span

    @property
    def name(self) -> str:
        """Of the task and of the array that it stores."""
        return f"sums-{self.array}-{self.first}-{self.span.start}"


@dataclass(frozen=True, eq=False)
class SumTask:
    """Sum the rows of a span by group.

    Attributes:
        slice: the rows and channels.
        group: [row of the span].
        groups: how many there are.
    """

    slice: SumSlice
    group: NDArray[np.integer]
    groups: int


@dataclass(frozen=True, eq=False)
class CosineTask:
    """Compute the cosines between the rows of a span and the means of their cells.

    Attributes:
        name: of the task and of the array that it stores.
        span: the rows.
        label: [row of the span] its finest cell.
    """

    name: str
    span: Span
    label: NDArray[np.integer]


def sum_slices(name: str, array: zarr.Array[Any], groups: int) -> list[SumSlice]:
    """The tasks that sum an array [sample, channel] in ``groups`` groups, in the order in which they are added up.

    They depend on the array and the number of groups alone.
    """
    channels = array.shape[1]
    # float32, and float64 for groups of so many rows that there can be but few of them
    channel_bytes = 4 * groups + 8 * min(groups, array.shape[0] // MAX_RUN)
    width = min(channels, max(1, SUM_BYTES // channel_bytes))
    blocks = _blocks(array)
    written_bytes = 4 * groups * width
    block_bytes = (blocks[0][1] - blocks[0][0]) * channels * array.dtype.itemsize
    worthwhile = len(blocks) * block_bytes // max(1, READ_PER_WRITTEN * written_bytes)
    each = -(-len(blocks) // min(MAX_SUM_TASKS, max(1, worthwhile)))
    return [
        SumSlice(name, first, min(first + width, channels), span)
        for first in range(0, channels, width)
        for span in _spans(blocks, each)
    ]


def cosine_spans(array: zarr.Array[Any]) -> list[Span]:
    """The rows of the tasks that compute cosines; they depend on the array alone."""
    return _spans(_blocks(array), COSINE_BLOCKS)


def _blocks(array: zarr.Array[Any]) -> list[tuple[int, int]]:
    return block_bounds(array, BLOCK_FACTOR * max(1, 4 // array.dtype.itemsize))


def _spans(blocks: list[tuple[int, int]], each: int) -> list[Span]:
    return [Span(tuple(blocks[start : start + each])) for start in range(0, len(blocks), each)]


@dataclass(frozen=True, eq=False)
class ReaderSpec:
    """Everything that a worker needs to make a :class:`Reader`; small enough to be sent.

    Attributes:
        activations: where they are stored, as an absolute path.
        results: where results are stored, and where the means of the cells are read from.
    """

    activations: Path
    results: TaskResults

    def __call__(self) -> "Reader":
        """A reader, in a worker."""
        return Reader(self)


class Reader:
    """Stored activations, and the means of the cells once they are known."""

    def __init__(self, spec: ReaderSpec) -> None:
        """Open the activations."""
        keep_memory()  # one block is as large as the next
        self.results = spec.results
        self._group = zarr_store.open_artifact(ACTIVATIONS, spec.activations)

    def blocks(self, name: str, span: Span, channels: slice) -> Iterator[tuple[int, NDArray[np.floating]]]:
        """(First row within the span, block [row, channel]) in order; while one is used, the next is read.

        Rows are of the number type that they are stored in.
        """
        array = zarr_store.array(self._group, name)
        found = (
            (start - span.start, np.ascontiguousarray(array.as_stored((slice(start, stop), channels))))
            for start, stop in span.blocks
        )
        return read_ahead(found)

    @cached_property
    def ancestors(self) -> NDArray[np.int64]:
        """[level, finest cell] the cell of each level that a finest cell lies in."""
        return self.results.array(CELL_MEANS, "ancestors")

    @cached_property
    def directions(self) -> NDArray[np.float32]:
        """Centered mean activations of the cells of all levels, of length 1 [cell, channel]."""
        return self.results.array(CELL_MEANS, "directions")


def store_sums(reader: Reader, task: SumTask) -> None:
    """Store the sums [group, channel] of a span, in a worker."""
    own = task.slice
    shape = (task.groups, own.last - own.first)
    # further threads of torch would wait for work in the way of those that read
    with torch_threads(1), reader.results.create_arrays(own.name, {own.name: (shape, np.float32)}) as created:
        sums = GroupSums(created[own.name], task.group)
        for start, rows in reader.blocks(own.array, own.span, slice(own.first, own.last)):
            sums.add(rows, task.group[start : start + len(rows)])
        sums.finish()


def store_cosines(reader: Reader, task: CosineTask) -> None:
    """Store the cosines [level, row of the span] to the means of the rows' cells, in a worker."""
    mean = reader.results.array(CELL_MEANS, "mean").astype(np.float32)
    shape = (len(reader.ancestors), task.span.stop - task.span.start)
    with torch_threads(1), reader.results.create_arrays(task.name, {task.name: (shape, np.float32)}) as created:
        cosines = created[task.name]
        for start, rows in reader.blocks("activation", task.span, slice(None)):
            label = task.label[start : start + len(rows)]
            cosines[:, start : start + len(rows)] = cosines_to_means(
                rows, label, reader.ancestors, reader.directions, mean
            )


def read_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items; while one is used, a thread makes the next."""
    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(next, items, None)
        while (found := following.result()) is not None:
            following = thread.submit(next, items, None)
            yield found
