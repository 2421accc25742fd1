"""Both passes over the activations of an atlas, as tasks of a pool; finished tasks do not run again."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core import zarr_store
from pipeline.core.progress import log_line, tracked
from pipeline.core.resumable import TaskResults
from pipeline.grid.cell_assignment import SampleAssignment
from pipeline.grid.cell_means import ATTRIBUTION_MEANS, store_attribution_means, store_cell_means
from pipeline.grid.sums import image_half
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
        """What the first pass has computed, see :func:`pipeline.grid.cell_means.store_cell_means`."""
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
