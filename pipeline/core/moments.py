"""Mean, covariance and grouped sums of activations, computed block by block in float64."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

BLOCK_BYTES = 2**25


@dataclass(frozen=True)
class LayerStatistics:
    """First and second moments of a layer's activations.

    Attributes:
        count: samples they were computed from.
        mean: [channel] float64.
        covariance: [channel, channel] float64, divided by ``count``.
    """

    count: int
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]


def row_blocks(array: zarr.Array[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    """The rows of a stored array in order, as (first row, block) with each block a number of whole chunks."""
    for start, stop in block_bounds(array):
        yield start, np.asarray(array[start:stop])


def block_bounds(array: zarr.Array[Any], larger: int = 1) -> list[tuple[int, int]]:
    """(Start, stop) of each block of :func:`row_blocks`; depends on the array alone.

    Args:
        array: [row, ...], stored.
        larger: factor by which the blocks are larger.
    """
    rows = array.shape[0]
    chunk = array.chunks[0]
    # numbers of half precision are read as float32
    item_bytes = 4 if array.dtype == np.float16 else array.dtype.itemsize
    chunk_bytes = chunk * max(1, int(np.prod(array.shape[1:], dtype=np.int64))) * item_bytes
    step = chunk * max(1, larger * BLOCK_BYTES // chunk_bytes)
    return [(start, min(start + step, rows)) for start in range(0, rows, step)]


def layer_statistics(array: zarr.Array[Any]) -> LayerStatistics:
    """Mean and covariance of a stored activation array [sample, channel], which is read block by block."""
    return statistics(block for _, block in row_blocks(array))


def statistics(blocks: Iterable[NDArray[Any]]) -> LayerStatistics:
    """Mean and covariance over blocks [row, channel] of any number type.

    Each block is centered on its own mean, and the means are combined by the pairwise update of Chan, Golub and
    LeVeque (1979): no digits cancel, however far the mean is from zero.

    Raises:
        ValueError: there are no rows.
    """
    count = 0
    mean: NDArray[np.float64] = np.zeros(0)
    scatter: NDArray[np.float64] = np.zeros((0, 0))
    for block in blocks:
        if not len(block):
            continue
        rows = block.astype(np.float64)
        own_mean = rows.mean(axis=0)
        rows -= own_mean
        own_scatter = rows.T @ rows
        if not count:
            count, mean, scatter = len(rows), own_mean, own_scatter
            continue
        total = count + len(rows)
        step = own_mean - mean
        scatter += own_scatter + np.outer(step, step) * (count * len(rows) / total)
        mean = mean + step * (len(rows) / total)
        count = total
    if not count:
        raise ValueError("statistics of no rows at all")
    return LayerStatistics(count, mean, scatter / count)


def layer_mean(array: zarr.Array[Any]) -> NDArray[np.float64]:
    """Mean [channel] of a stored activation array [sample, channel], summed in float64."""
    total = np.zeros(array.shape[1])
    for _, block in row_blocks(array):
        total += block.sum(axis=0, dtype=np.float64)
    return total / array.shape[0]


def channel_deviations(array: zarr.Array[Any]) -> NDArray[np.float64]:
    """Standard deviation [channel] of a stored activation array [sample, channel], divided by the number of samples.

    Blocks are centered on their own means, which are combined as in :func:`statistics`.

    Raises:
        ValueError: there are no rows.
    """
    count = 0
    mean, scatter = np.zeros(array.shape[1]), np.zeros(array.shape[1])
    for _, block in row_blocks(array):
        rows = block.astype(np.float64)
        own_mean = rows.mean(axis=0)
        rows -= own_mean
        total = count + len(rows)
        step = own_mean - mean
        scatter += np.einsum("ij,ij->j", rows, rows) + step**2 * (count * len(rows) / total)
        mean = mean + step * (len(rows) / total)
        count = total
    if not count:
        raise ValueError("deviations of no rows at all")
    deviation: NDArray[np.float64] = np.sqrt(scatter / count)
    return deviation


def grouped_sums(
    blocks: Iterable[tuple[NDArray[np.int64], NDArray[Any]]], group: NDArray[np.int64], groups: int, width: int
) -> NDArray[np.float64]:
    """Sums [group, width] of rows by group, in float64.

    Args:
        blocks: (points, their rows [point, width]).
        group: [point] of each point.
        groups: number of groups.
        width: length of a row.
    """
    sums = np.zeros((groups, width))
    for points, rows in blocks:
        order = np.argsort(group[points], kind="stable")
        found, starts = np.unique(group[points][order], return_index=True)
        sums[found] += np.add.reduceat(rows[order].astype(np.float64), starts, axis=0)
    return sums
