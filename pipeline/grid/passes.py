"""The two passes over the activations, as tasks of a pool; what is done already is not done again."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core import zarr_store as store
from pipeline.core.pool import Pool
from pipeline.core.progress import say, tracked
from pipeline.grid.merge import MERGED, merge_activations, merge_attributions
from pipeline.grid.parts import Parts
from pipeline.grid.placed import Placed
from pipeline.grid.plan import Slice, Span, slices, spans
from pipeline.grid.sums import image_half
from pipeline.grid.work import Adding, Comparing, Reader, Source, add, compare, needed


class Passes:
    """Both passes over the activations of one atlas; what they find lies in parts."""

    def __init__(
        self,
        path: Path,
        activations: zarr.Group,
        parts: Parts,
        pool: Pool,
        placed: Placed,
        image: NDArray[np.int64],
    ) -> None:
        """Prepare.

        Args:
            path: of the activations, absolute.
            activations: the same, opened.
            parts: where results of tasks go.
            pool: the workers.
            placed: the samples of the atlas.
            image: [sample] the image it comes from.
        """
        self._activations, self._parts, self._pool = activations, parts, pool
        self._placed, self._image = placed, image
        self._source = Source(path, parts)
        self.has_attribution = "attribution" in activations and store.array(activations, "attribution").shape[1] > 0

    def part(self, name: str) -> NDArray[Any]:
        """What was found, see :mod:`pipeline.grid.merge`."""
        return needed(self._parts, name)

    def first(self) -> None:
        """Means of all cells: sums at the finest level, coarser ones by adding."""
        if not all(map(self._parts.has, MERGED)):
            groups = 2 * self._placed.outside + 1
            tasks = slices("activation", store.array(self._activations, "activation"), groups)
            self._sum(tasks, self._half, groups)
            counts = np.zeros(groups)
            for span in _once(tasks):
                counts += np.bincount(self._half(span), minlength=groups)
            merge_activations(self._parts, tasks, self._placed, counts[:-1].reshape(-1, 2))
        if self.has_attribution and not self._parts.has("attribution"):
            groups = self._placed.outside + 1
            tasks = slices("attribution", store.array(self._activations, "attribution"), groups)
            self._sum(tasks, lambda span: self._placed.label[span.start : span.stop], groups)
            merge_attributions(self._parts, tasks, self._placed)

    def second(self) -> None:
        """Cosines of all samples to the means of their cells."""
        tasks = {_cosines(span): span for span in self._spans()}
        todo = [name for name in tasks if not self._parts.has(name)]
        made = (Comparing(name, tasks[name], self._placed.label[tasks[name].start : tasks[name].stop]) for name in todo)
        self._run(compare, made, len(todo), len(tasks), "cosines to cell means")

    def cosines(self, level: int) -> NDArray[np.float32]:
        """[sample] to the mean of its cell of a level; 0 where it is not in the atlas."""
        found = np.zeros(len(self._placed.label), np.float32)
        for span in self._spans():
            found[span.start : span.stop] = self.part(_cosines(span))[level]
        return found

    def _sum(self, tasks: Sequence[Slice], group: Callable[[Span], NDArray[np.integer]], groups: int) -> None:
        todo = [task for task in tasks if not self._parts.has(task.part)]
        made = (Adding(task, group(task.span), groups) for task in todo)
        self._run(add, made, len(todo), len(tasks), f"sums of {tasks[0].array}s")

    def _run(
        self, function: Callable[[Reader, Any], None], tasks: Iterator[Any], todo: int, total: int, what: str
    ) -> None:
        """Have workers do the tasks; they keep the results themselves, so that none piles up here."""
        if todo < total:
            say(f"  {what}: {total - todo} of {total} tasks were done before")
        for _ in tracked(self._pool.map_unordered(function, tasks, self._source), what, todo, "task"):
            pass

    def _spans(self) -> Iterator[Span]:
        """Of the second pass, without blocks that hold no sample of the atlas."""
        label, outside = self._placed.label, self._placed.outside
        for span in spans(store.array(self._activations, "activation")):
            blocks = tuple((start, stop) for start, stop in span.blocks if label[start:stop].min() < outside)
            if blocks:
                yield Span(blocks)

    def _half(self, span: Span) -> NDArray[np.int64]:
        """[row of the span] half of the finest cell; the last group is outside of the atlas."""
        rows = slice(span.start, span.stop)
        of = self._placed.label[rows].astype(np.int64) * 2 + image_half(self._image[rows])
        return np.asarray(np.minimum(of, 2 * self._placed.outside), np.int64)


def _once(tasks: Sequence[Slice]) -> list[Span]:
    """The rows of all tasks, once each, whatever the number of channel slices."""
    return list(dict.fromkeys(task.span for task in tasks))


def _cosines(span: Span) -> str:
    return f"cosines-{span.start}"
