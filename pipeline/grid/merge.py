"""The means of all cells of all levels, from the sums that the tasks of the first pass have left."""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.core.cells import CellAssignment
from pipeline.core.threads import in_threads
from pipeline.grid.parts import Parts
from pipeline.grid.placed import Placed
from pipeline.grid.plan import Slice
from pipeline.grid.sums import coarser, half_products, reliability
from pipeline.grid.work import needed

CELLS = 2**11  # handled at a time
TOTAL_BYTES = 2**27  # of the sums that are held at a time, in float64
MERGED = ("ancestors", "means", "directions", "reliability", "mean")


def merge_activations(parts: Parts, tasks: Sequence[Slice], placed: Placed, half_counts: NDArray[np.float64]) -> None:
    """Leave ``means`` and ``directions`` [cell, channel], ``reliability`` [cell] and ``mean`` [channel] as parts.

    Cells are those of all levels, one level after the other, coarse to fine.

    Args:
        parts: hold the sums [group, channel] of each task: of both halves of each finest cell, then of all samples
            outside of the atlas.
        tasks: in the order in which they are combined.
        placed: the samples.
        half_counts: [finest cell, half].
    """
    channels = max(task.last for task in tasks)
    parents = _parents(placed.levels)
    counts = _coarsest_first(half_counts, parents, placed.levels)
    products = [np.zeros((3, len(level.cell))) for level in placed.levels]
    shape = (placed.own[-1].stop, channels)
    arrays = {
        "ancestors": (placed.ancestors.shape, np.int64),
        "means": (shape, np.float32),
        "directions": (shape, np.float32),
        "reliability": (shape[:1], np.float32),
        "mean": (shape[1:], np.float64),
    }
    with parts.making_all(arrays) as made:
        means, mean = made["means"], made["mean"]
        for first, last, sums in _totals(parts, tasks):
            mean[first:last] = sums.sum(axis=0) / len(placed.label)
            halves = sums[:-1].reshape(placed.outside, 2, last - first)
            for index in reversed(range(len(placed.levels))):
                if index < len(parents):
                    halves = coarser(halves, parents[index], len(placed.levels[index].cell))
                own = means[placed.own[index], first:last]
                _merge(halves, counts[index], mean[first:last], own, products[index])
        _direct(means, mean, made["directions"])
        found = [reliability(level, halves) for level, halves in zip(products, counts, strict=True)]
        made["reliability"][...] = np.concatenate(found)
        made["ancestors"][...] = placed.ancestors
    _forget(parts, tasks)


def merge_attributions(parts: Parts, tasks: Sequence[Slice], placed: Placed) -> None:
    """Leave the mean attribution of the cells of all levels as the part ``attribution`` [cell, class]."""
    parents = _parents(placed.levels)
    shape = (placed.own[-1].stop, max(task.last for task in tasks))
    with parts.making("attribution", shape, np.float32) as means:
        for first, last, total in _totals(parts, tasks):
            sums = total[:-1]
            for index in reversed(range(len(placed.levels))):
                if index < len(parents):
                    sums = coarser(sums, parents[index], len(placed.levels[index].cell))
                means[placed.own[index], first:last] = sums / placed.counts[index][:, None]
    _forget(parts, tasks)


def _totals(parts: Parts, tasks: Sequence[Slice]) -> Iterator[tuple[int, int, NDArray[np.float64]]]:
    """(First channel, channel after the last, sums [group, channel] over all tasks), a few channels at a time.

    Sums of a channel are added one after the other, always in the same order.
    """
    for (first, last), group in groupby(tasks, lambda task: (task.first, task.last)):
        found = [needed(parts, task.part) for task in group]
        width = max(1, TOTAL_BYTES // (8 * len(found[0])))
        for start in range(first, last, width):
            stop = min(start + width, last)
            total = found[0][:, start - first : stop - first].astype(np.float64)
            for other in found[1:]:
                total += other[:, start - first : stop - first]
            yield start, stop, total


def _merge(
    halves: NDArray[np.float64],
    counts: NDArray[np.float64],
    mean: NDArray[np.float64],
    means: NDArray[np.float32],
    products: NDArray[np.float64],
) -> None:
    """Fill in the means [cell, channel] of a level's cells, and add to the products [3, cell] of their halves."""

    def merge(cells: slice) -> None:
        means[cells] = halves[cells].sum(axis=1) / counts[cells].sum(axis=1)[:, None]
        products[:, cells] += half_products(halves[cells], counts[cells], mean)

    for _ in in_threads(merge, _ranges(len(halves))):
        pass


def _direct(means: NDArray[np.float32], mean: NDArray[np.float64], directions: NDArray[np.float32]) -> None:
    """Fill in the directions [cell, channel]: the means of cells, centred and brought to length 1."""

    def direct(cells: slice) -> None:
        centred = means[cells] - mean.astype(np.float32)
        norms = np.linalg.norm(centred, axis=1, keepdims=True)
        directions[cells] = np.divide(centred, norms, out=np.zeros_like(centred), where=norms > 0)

    for _ in in_threads(direct, _ranges(len(means))):
        pass


def _parents(levels: Sequence[CellAssignment]) -> list[NDArray[np.int64]]:
    """For each level but the finest, which of its cells each cell of the next finer level lies in."""
    found = []
    for coarse, fine in pairwise(levels):
        parent = np.zeros(len(fine.cell), np.int64)
        parent[fine.of_point] = coarse.of_point
        found.append(parent)
    return found


def _coarsest_first(
    finest: NDArray[np.float64], parents: Sequence[NDArray[np.int64]], levels: Sequence[CellAssignment]
) -> list[NDArray[np.float64]]:
    """Sums of all levels, from those of the finest cells."""
    found = [finest]
    for parent, level in zip(reversed(parents), reversed(levels[:-1]), strict=True):
        found.insert(0, coarser(found[0], parent, len(level.cell)))
    return found


def _ranges(cells: int) -> list[slice]:
    return [slice(start, min(start + CELLS, cells)) for start in range(0, cells, CELLS)]


def _forget(parts: Parts, tasks: Sequence[Slice]) -> None:
    for task in tasks:
        parts.drop(task.part)
