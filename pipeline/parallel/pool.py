"""Pools: they run tasks in this process or on Dask workers and yield results in the order of completion."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, Self, TypeVar

import torch

from pipeline.config.cluster import Address, Inline, Local
from pipeline.parallel.process import cached_per_process, use_threads

State = TypeVar("State")
Item = TypeVar("Item")
Result = TypeVar("Result")


class Pool(Protocol):
    """Runs tasks."""

    def map_unordered(
        self, function: Callable[[State, Item], Result], tasks: Iterable[Item], setup: Callable[[], State]
    ) -> Iterator[tuple[int, Result]]:
        """Run ``function(state, task)`` for every task and yield results in the order of completion.

        Tasks are taken from their iterator only when a worker is free, so the iterator may be long and slow. A task
        whose worker dies runs again on another worker, so it must give the same result when it runs twice.

        Args:
            function: a module-level function, so that workers can import it; its first argument is the result of
                ``setup``.
            tasks: objects that can be pickled.
            setup: called once per process, whatever the number of tasks; preferably a ``functools.partial`` of a
                module-level function with paths and settings rather than an object that holds a network.

        Yields:
            The index of the task, from 0, and its result.

        Raises:
            Exception: what a task raised, unchanged; the remaining tasks are canceled.
            ConfigError: the workers are gone, or too many died while they ran one task.
        """
        ...


class InlinePool:
    """Runs tasks in this process, one after the other; a context manager."""

    def __init__(self, threads: int | None) -> None:
        """Prepare.

        Args:
            threads: of torch while tasks run; None leaves the number unchanged.
        """
        self._threads, self._before = threads, torch.get_num_threads()

    def __enter__(self) -> Self:
        use_threads(self._threads)
        return self

    def __exit__(self, *_error: object) -> None:
        use_threads(self._before)

    def map_unordered(
        self, function: Callable[[State, Item], Result], tasks: Iterable[Item], setup: Callable[[], State]
    ) -> Iterator[tuple[int, Result]]:
        """See :meth:`Pool.map_unordered`."""
        for index, task in enumerate(tasks):
            yield index, function(cached_per_process(setup, setup), task)


@contextmanager
def open_pool(settings: Inline | Local | Address) -> Iterator[Pool]:
    """A pool as ``settings`` ask for it; workers that it starts end with the block.

    Raises:
        ConfigError: the scheduler cannot be reached.
    """
    if isinstance(settings, Inline):
        with InlinePool(settings.threads) as inline:
            yield inline
        return
    # distributed takes a second to import, which inline runs need not wait for
    from pipeline.parallel.dask import local_workers, remote_workers  # noqa: PLC0415  # see the line above

    with local_workers(settings) if isinstance(settings, Local) else remote_workers(settings) as pool:
        yield pool
