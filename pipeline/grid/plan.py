"""How the passes over the activations are cut into tasks, so that neither memory nor disk overflows."""

from dataclasses import dataclass
from typing import Any

import zarr

from pipeline.core.moments import block_bounds
from pipeline.grid.sums import RUN

LARGER = 2  # blocks of 64 MiB as stored: rows of one cell meet in them, and Zarr reads many chunks at once
SUM_BYTES = 2**29  # of the sums that one task holds; more channels than fit are added up in a further task
MOST_PARTS = 32
WORTH = 2  # a task reads at least so many times the bytes that it leaves on the disk
SPAN_BLOCKS = 4  # of a task that leaves next to nothing; while one block is worked on, the next is read


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
class Slice:
    """One of the tasks that sum up rows.

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
    def part(self) -> str:
        """The name under which the sums are kept."""
        return f"sums-{self.array}-{self.first}-{self.span.start}"


def slices(name: str, array: zarr.Array[Any], groups: int) -> list[Slice]:
    """The tasks that sum up an array [sample, channel] in ``groups`` groups, in the order in which they are combined.

    They depend on the array and the groups alone.
    """
    channels = array.shape[1]
    # float32, and float64 for groups of so many rows that there can be but few of them
    channel_bytes = 4 * groups + 8 * min(groups, array.shape[0] // RUN)
    width = min(channels, max(1, SUM_BYTES // channel_bytes))
    blocks = _blocks(array)
    part_bytes = 4 * groups * width
    block_bytes = (blocks[0][1] - blocks[0][0]) * channels * array.dtype.itemsize
    worthwhile = len(blocks) * block_bytes // max(1, WORTH * part_bytes)
    each = -(-len(blocks) // min(MOST_PARTS, max(1, worthwhile)))
    return [
        Slice(name, first, min(first + width, channels), span)
        for first in range(0, channels, width)
        for span in _spans(blocks, each)
    ]


def spans(array: zarr.Array[Any]) -> list[Span]:
    """The rows of the tasks of the second pass; they depend on the array alone."""
    return _spans(_blocks(array), SPAN_BLOCKS)


def _blocks(array: zarr.Array[Any]) -> list[tuple[int, int]]:
    return block_bounds(array, LARGER * max(1, 4 // array.dtype.itemsize))


def _spans(blocks: list[tuple[int, int]], each: int) -> list[Span]:
    return [Span(tuple(blocks[start : start + each])) for start in range(0, len(blocks), each)]
