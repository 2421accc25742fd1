"""Tasks that run on workers, each of which is kept as soon as it is finished, so that a run that is killed goes on."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.core.progress import progress
from pipeline.core.resumable import TaskResults
from pipeline.parallel.pool import Pool

State = TypeVar("State")
Item = TypeVar("Item")
Arrays = dict[str, NDArray[Any]]


class Tasks:
    """Runs tasks, or reads what an earlier run has found."""

    def __init__(self, pool: Pool, results: TaskResults, what: str) -> None:
        """Prepare.

        Args:
            pool: the workers.
            results: of finished tasks.
            what: is computed, for the progress.
        """
        self._pool, self._results, self._what = pool, results, what
        results.keep_current()

    def run(
        self,
        kind: str,
        spec: Callable[[], State],
        work: Callable[[State, Item], Arrays],
        items: Sequence[Item],
        unit: str,
        sizes: Sequence[int] | None = None,
    ) -> list[Arrays]:
        """What the tasks of a kind find, in their order.

        Args:
            kind: of the tasks; no other kind has this name.
            spec: makes what a worker needs, once in each process; preferably small, as it travels to the workers.
            work: does one task with that; a function or method that workers can import.
            items: of the tasks.
            unit: what a task is counted in, singular, for the progress.
            sizes: how many of these each task has; None for one each.
        """
        names = [f"{kind}-{number}" for number in range(len(items))]
        todo = [number for number, name in enumerate(names) if self._results.record(name) is None]
        counts = sizes or [1] * len(items)
        with progress(f"{self._what}: {kind}", sum(counts), unit) as bar:
            bar.update(sum(counts) - sum(counts[number] for number in todo))
            for index, found in self._pool.map_unordered(work, [items[number] for number in todo], spec):
                self._keep(names[todo[index]], found)
                bar.update(counts[todo[index]])
        return [self._read(name) for name in names]

    def _keep(self, name: str, found: Arrays) -> None:
        shapes = {f"{name}.{key}": (values.shape, values.dtype) for key, values in found.items()}
        with self._results.create_arrays(name, shapes, {"names": list(found)}) as arrays:
            for key, values in found.items():
                arrays[f"{name}.{key}"][...] = values

    def _read(self, name: str) -> Arrays:
        record = self._results.record(name) or {"names": []}
        return {key: np.asarray(self._results.array(name, f"{name}.{key}")) for key in record["names"]}


def joined(parts: Sequence[Arrays]) -> Arrays:
    """The arrays of all tasks, one after the other along their first dimension."""
    return {name: np.concatenate([part[name] for part in parts]) for name in (parts[0] if parts else ())}
