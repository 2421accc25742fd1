"""What workers do: read a span of the activations once, and leave what follows from it as a part."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.core import zarr_store as store
from pipeline.core.artifacts import ACTIVATIONS
from pipeline.core.errors import ArtifactError
from pipeline.core.malloc import keep_memory
from pipeline.core.threads import torch_threads
from pipeline.grid.parts import Parts
from pipeline.grid.plan import Slice, Span
from pipeline.grid.second_pass import cosines_to_means
from pipeline.grid.sums import GroupSums

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class Adding:
    """Sum up the rows of a span by group.

    Attributes:
        slice: which rows and channels.
        group: [row of the span].
        groups: how many there are.
    """

    slice: Slice
    group: NDArray[np.integer]
    groups: int


@dataclass(frozen=True, eq=False)
class Comparing:
    """Compare the rows of a span with the means of their cells.

    Attributes:
        part: the name under which the cosines are kept.
        span: which rows.
        label: [row of the span] its finest cell.
    """

    part: str
    span: Span
    label: NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Source:
    """What a worker needs; small enough to travel.

    Attributes:
        activations: where they are stored, as an absolute path.
        parts: where results go, and where the means of the cells come from.
    """

    activations: Path
    parts: Parts

    def __call__(self) -> "Reader":
        """Open them, in a worker."""
        return Reader(self)


class Reader:
    """Stored activations, and the means of the cells once they are known."""

    def __init__(self, source: Source) -> None:
        """Open the activations."""
        keep_memory()  # one block is as large as the next
        self.parts = source.parts
        self._group = store.open_artifact(ACTIVATIONS, source.activations)

    def blocks(self, name: str, span: Span, channels: slice) -> Iterator[tuple[int, NDArray[np.floating]]]:
        """(First row within the span, block [row, channel]) in order; while one is used, the next is read.

        Rows are of the number type that they are stored in.
        """
        array = store.array(self._group, name)
        found = (
            (start - span.start, np.ascontiguousarray(array.as_stored((slice(start, stop), channels))))
            for start, stop in span.blocks
        )
        return ahead(found)

    @cached_property
    def ancestors(self) -> NDArray[np.int64]:
        """[level, finest cell] the cell of each level that a finest cell lies in."""
        return needed(self.parts, "ancestors")

    @cached_property
    def directions(self) -> NDArray[np.float32]:
        """Centred mean activations of the cells of all levels, of length 1 [cell, channel]."""
        return needed(self.parts, "directions")


def add(reader: Reader, task: Adding) -> None:
    """Leave the sums [group, channel] of a span as a part, in a worker."""
    part = task.slice
    # more of torch's would wait for work in the way of those that read
    with torch_threads(1), reader.parts.making(part.part, (task.groups, part.last - part.first), np.float32) as kept:
        sums = GroupSums(kept, task.group)
        for start, rows in reader.blocks(part.array, part.span, slice(part.first, part.last)):
            sums.add(rows, task.group[start : start + len(rows)])
        sums.finish()


def compare(reader: Reader, task: Comparing) -> None:
    """Leave the cosines [level, row of the span] to the means of the rows' cells as a part, in a worker."""
    mean = needed(reader.parts, "mean").astype(np.float32)
    shape = (len(reader.ancestors), task.span.stop - task.span.start)
    with torch_threads(1), reader.parts.making(task.part, shape, np.float32) as kept:
        for start, rows in reader.blocks("activation", task.span, slice(None)):
            label = task.label[start : start + len(rows)]
            kept[:, start : start + len(rows)] = cosines_to_means(
                rows, label, reader.ancestors, reader.directions, mean
            )


def needed(parts: Parts, name: str) -> NDArray[Any]:
    """A part that was made before.

    Raises:
        ArtifactError: it is gone or damaged since.
    """
    found = parts.load(name)
    if found is None:
        raise ArtifactError(f"{parts.folder}/{name}: expected what was just worked out, found it damaged; run again")
    return found


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items; while one is used, the next is made in a thread."""
    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(next, items, None)
        while (found := following.result()) is not None:
            following = thread.submit(next, items, None)
            yield found
