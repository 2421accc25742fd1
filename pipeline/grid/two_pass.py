"""Both passes over the activations of an atlas, as tasks of a pool; finished tasks do not run again.

The first pass stores sums, from which the means of all cells of all levels follow; the second one stores cosines.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core import zarr_store
from pipeline.core.cells import CellAssignment
from pipeline.core.progress import log_line, tracked
from pipeline.core.resumable import TaskResults
from pipeline.grid.cell_assignment import SampleAssignment
from pipeline.grid.sums import coarser, half_products, image_half, reliability
from pipeline.grid.tasks import (
    CELL_MEANS,
    CosineTask,
    Reader,
    ReaderSpec,
    Span,
    SumSlice,
    SumTask,
    cosine_spans,
    store_cosines,
    store_sums,
    sum_slices,
)
from pipeline.parallel.pool import Pool
from pipeline.parallel.process import in_threads

ATTRIBUTION_MEANS = "attribution"  # the task that computes mean attributions
CELLS_PER_BLOCK = 2**11
TOTAL_BYTES = 2**27  # of the sums that are held at a time, in float64


class TwoPass:
    """Means of the cells from a first pass over the activations, cosines to them from a second one."""

    def __init__(
        self,
        path: Path,
        activations: zarr.Group,
        results: TaskResults,
        cells: SampleAssignment,
        image: NDArray[np.int64],
    ) -> None:
        """Prepare both passes.

        Args:
            path: of the activations, absolute.
            activations: the same, opened.
            results: where results of tasks are stored.
            cells: of the atlas's samples.
            image: [sample] the image it comes from.
        """
        self._activations, self._results = activations, results
        self._cells, self._image = cells, image
        self._spec = ReaderSpec(path, results)
        self.has_attribution = (
            "attribution" in activations and zarr_store.array(activations, "attribution").shape[1] > 0
        )

    def run(self, pool: Pool) -> None:
        """Run the tasks of both passes that are not finished."""
        self._means(pool)
        tasks = {_cosine_name(span): span for span in self._spans()}
        pending = [name for name in tasks if self._results.record(name) is None]
        label = self._cells.label
        made = (CosineTask(name, tasks[name], label[tasks[name].start : tasks[name].stop]) for name in pending)
        self._run(pool, store_cosines, made, len(pending), len(tasks), "cosines to cell means")

    def means(self, name: str) -> NDArray[Any]:
        """What the first pass has computed, see :func:`store_cell_means`."""
        return self._results.array(CELL_MEANS, name)

    def attribution(self) -> NDArray[np.float32]:
        """Mean attribution [cell, class] of the cells of all levels; without classes where none are recorded."""
        if not self.has_attribution:
            return np.zeros((self._cells.level_slices[-1].stop, 0), np.float32)
        return self._results.array(ATTRIBUTION_MEANS, "attribution")

    def cosines(self, level: int) -> NDArray[np.float32]:
        """[sample] to the mean of its cell of a level; 0 where it is not in the atlas."""
        found = np.zeros(len(self._cells.label), np.float32)
        for span in self._spans():
            name = _cosine_name(span)
            found[span.start : span.stop] = self._results.array(name, name)[level]
        return found

    def _means(self, pool: Pool) -> None:
        """Means of all cells: sums at the finest level, coarser ones by adding."""
        if self._results.record(CELL_MEANS) is None:
            groups = 2 * self._cells.outside + 1
            slices = sum_slices("activation", zarr_store.array(self._activations, "activation"), groups)
            self._sum(pool, slices, self._half, groups)
            counts = np.zeros(groups)
            for span in dict.fromkeys(one.span for one in slices):  # once, whatever the number of channel slices
                counts += np.bincount(self._half(span), minlength=groups)
            store_cell_means(self._results, slices, self._cells, counts[:-1].reshape(-1, 2))
        if self.has_attribution and self._results.record(ATTRIBUTION_MEANS) is None:
            groups = self._cells.outside + 1
            slices = sum_slices("attribution", zarr_store.array(self._activations, "attribution"), groups)
            self._sum(pool, slices, lambda span: self._cells.label[span.start : span.stop], groups)
            store_attribution_means(self._results, slices, self._cells)

    def _sum(
        self, pool: Pool, slices: Sequence[SumSlice], group: Callable[[Span], NDArray[np.integer]], groups: int
    ) -> None:
        pending = [one for one in slices if self._results.record(one.name) is None]
        made = (SumTask(one, group(one.span), groups) for one in pending)
        self._run(pool, store_sums, made, len(pending), len(slices), f"sums of {slices[0].array}s")

    def _run(
        self,
        pool: Pool,
        function: Callable[[Reader, Any], None],
        tasks: Iterator[Any],
        pending: int,
        total: int,
        what: str,
    ) -> None:
        """Have workers run the tasks; they store the results themselves, so that none accumulate here."""
        if pending < total:
            log_line(f"  {what}: {total - pending} of {total} tasks were finished before")
        for _ in tracked(pool.map_unordered(function, tasks, self._spec), what, pending, "task"):
            pass

    def _spans(self) -> Iterator[Span]:
        """Of the second pass, without blocks that hold no sample of the atlas."""
        label, outside = self._cells.label, self._cells.outside
        for span in cosine_spans(zarr_store.array(self._activations, "activation")):
            blocks = tuple((start, stop) for start, stop in span.blocks if label[start:stop].min() < outside)
            if blocks:
                yield Span(blocks)

    def _half(self, span: Span) -> NDArray[np.int64]:
        """[row of the span] half of the finest cell; the last group is outside of the atlas."""
        rows = slice(span.start, span.stop)
        of = self._cells.label[rows].astype(np.int64) * 2 + image_half(self._image[rows])
        return np.asarray(np.minimum(of, 2 * self._cells.outside), np.int64)


def _cosine_name(span: Span) -> str:
    return f"cosines-{span.start}"


def store_cell_means(
    results: TaskResults, slices: Sequence[SumSlice], cells: SampleAssignment, half_counts: NDArray[np.float64]
) -> None:
    """Store ``means`` and ``directions`` [cell, channel], ``reliability`` [cell] and ``mean`` [channel].

    Cells are those of all levels, one level after the other, coarse to fine. The sums are removed.

    Args:
        results: hold the sums [group, channel] of each slice: of both halves of each finest cell, then of all samples
            outside of the atlas.
        slices: in the order in which they are added up.
        cells: of the samples.
        half_counts: [finest cell, half].
    """
    channels = max(one.last for one in slices)
    parents = _parents(cells.levels)
    counts = _all_levels(half_counts, parents, cells.levels)
    products = [np.zeros((3, len(level.cell))) for level in cells.levels]
    shape = (cells.level_slices[-1].stop, channels)
    arrays: Mapping[str, tuple[tuple[int, ...], type[np.generic]]] = {
        "ancestors": (cells.ancestors.shape, np.int64),
        "means": (shape, np.float32),
        "directions": (shape, np.float32),
        "reliability": (shape[:1], np.float32),
        "mean": (shape[1:], np.float64),
    }
    with results.create_arrays(CELL_MEANS, arrays) as created:
        means, mean = created["means"], created["mean"]
        for first, last, sums in _totals(results, slices):
            mean[first:last] = sums.sum(axis=0) / len(cells.label)
            halves = sums[:-1].reshape(cells.outside, 2, last - first)
            for index in reversed(range(len(cells.levels))):
                if index < len(parents):
                    halves = coarser(halves, parents[index], len(cells.levels[index].cell))
                own = means[cells.level_slices[index], first:last]
                _fill_means(halves, counts[index], mean[first:last], own, products[index])
        _fill_directions(means, mean, created["directions"])
        found = [reliability(level, halves) for level, halves in zip(products, counts, strict=True)]
        created["reliability"][...] = np.concatenate(found)
        created["ancestors"][...] = cells.ancestors
    _discard(results, slices)


def store_attribution_means(results: TaskResults, slices: Sequence[SumSlice], cells: SampleAssignment) -> None:
    """Store the mean ``attribution`` of the cells of all levels [cell, class]; the sums are removed."""
    parents = _parents(cells.levels)
    shape = (cells.level_slices[-1].stop, max(one.last for one in slices))
    with results.create_arrays(ATTRIBUTION_MEANS, {"attribution": (shape, np.float32)}) as created:
        for first, last, total in _totals(results, slices):
            sums = total[:-1]
            for index in reversed(range(len(cells.levels))):
                if index < len(parents):
                    sums = coarser(sums, parents[index], len(cells.levels[index].cell))
                own = created["attribution"][cells.level_slices[index], first:last]
                own[...] = sums / cells.counts[index][:, None]
    _discard(results, slices)


def _totals(results: TaskResults, slices: Sequence[SumSlice]) -> Iterator[tuple[int, int, NDArray[np.float64]]]:
    """(First channel, channel after the last, sums [group, channel] over all slices), a few channels at a time.

    Sums of a channel are added one after the other, always in the same order.
    """
    for (first, last), group in groupby(slices, lambda one: (one.first, one.last)):
        found = [results.array(one.name, one.name) for one in group]
        width = max(1, TOTAL_BYTES // (8 * len(found[0])))
        for start in range(first, last, width):
            stop = min(start + width, last)
            total = found[0][:, start - first : stop - first].astype(np.float64)
            for other in found[1:]:
                total += other[:, start - first : stop - first]
            yield start, stop, total


def _fill_means(
    halves: NDArray[np.float64],
    counts: NDArray[np.float64],
    mean: NDArray[np.float64],
    means: NDArray[np.float32],
    products: NDArray[np.float64],
) -> None:
    """Fill in the means [cell, channel] of a level's cells, and add to the products [3, cell] of their halves."""

    def fill(cells: slice) -> None:
        means[cells] = halves[cells].sum(axis=1) / counts[cells].sum(axis=1)[:, None]
        products[:, cells] += half_products(halves[cells], counts[cells], mean)

    for _ in in_threads(fill, _blocks(len(halves))):
        pass


def _fill_directions(means: NDArray[np.float32], mean: NDArray[np.float64], directions: NDArray[np.float32]) -> None:
    """Fill in the directions [cell, channel]: the means of cells, centered and divided by their norm."""

    def fill(cells: slice) -> None:
        centered = means[cells] - mean.astype(np.float32)
        norms = np.linalg.norm(centered, axis=1, keepdims=True)
        directions[cells] = np.divide(centered, norms, out=np.zeros_like(centered), where=norms > 0)

    for _ in in_threads(fill, _blocks(len(means))):
        pass


def _parents(levels: Sequence[CellAssignment]) -> list[NDArray[np.int64]]:
    """For each level but the finest, the cell of that level that each cell of the next finer level lies in."""
    found = []
    for coarse, fine in pairwise(levels):
        parent = np.zeros(len(fine.cell), np.int64)
        parent[fine.of_point] = coarse.of_point
        found.append(parent)
    return found


def _all_levels(
    finest: NDArray[np.float64], parents: Sequence[NDArray[np.int64]], levels: Sequence[CellAssignment]
) -> list[NDArray[np.float64]]:
    """Sums of all levels, coarse to fine, from those of the finest cells."""
    found = [finest]
    for parent, level in zip(reversed(parents), reversed(levels[:-1]), strict=True):
        found.insert(0, coarser(found[0], parent, len(level.cell)))
    return found


def _blocks(cells: int) -> list[slice]:
    return [slice(start, min(start + CELLS_PER_BLOCK, cells)) for start in range(0, cells, CELLS_PER_BLOCK)]


def _discard(results: TaskResults, slices: Sequence[SumSlice]) -> None:
    for one in slices:
        results.discard(one.name)
