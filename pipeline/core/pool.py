"""Workers that take tasks from a list and hand results back as they finish; here the plain one, without a scheduler."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, Protocol, Self, TypeVar

import torch

Made = TypeVar("Made")
Item = TypeVar("Item")
Result = TypeVar("Result")

KEPT = 2  # shared objects that a process keeps; each may hold a whole network

_kept: "OrderedDict[Hashable, Any]" = OrderedDict()
_lock = threading.RLock()


class Pool(Protocol):
    """Workers."""

    def map_unordered(
        self, function: Callable[[Made, Item], Result], tasks: Iterable[Item], setup: Callable[[], Made]
    ) -> Iterator[tuple[int, Result]]:
        """Run ``function(made, task)`` for every task, and yield results as they finish.

        Tasks are taken from their iterator only as workers get free, so that it may be long, and slow. A task whose
        worker dies runs again on another one, so it must give the same result when it runs twice.

        Args:
            function: of a module, not of another function, so that workers find it; gets what ``setup`` made.
            tasks: what can be pickled.
            setup: called once in each process, whatever the number of tasks; best a ``functools.partial`` of a
                function of a module with paths and settings rather than whole networks.

        Yields:
            The number of the task, from 0, and its result.

        Raises:
            Exception: what a task raised, as it was; the others are given up.
            ConfigError: the workers are gone, or too many died of one task.
        """
        ...


class InlinePool:
    """Runs tasks in this process, one after the other; a context manager."""

    def __init__(self, threads: int | None) -> None:
        """Prepare.

        Args:
            threads: of torch while tasks run; None leaves them as they are.
        """
        self._threads, self._before = threads, torch.get_num_threads()

    def __enter__(self) -> Self:
        use_threads(self._threads)
        return self

    def __exit__(self, *_error: object) -> None:
        use_threads(self._before)

    def map_unordered(
        self, function: Callable[[Made, Item], Result], tasks: Iterable[Item], setup: Callable[[], Made]
    ) -> Iterator[tuple[int, Result]]:
        """See :meth:`Pool.map_unordered`."""
        for index, task in enumerate(tasks):
            yield index, function(once(setup, setup), task)


def once(key: Hashable, make: Callable[[], Made]) -> Made:
    """What ``make`` gives, made once in this process for each ``key``; only the last few are kept."""
    with _lock:
        if key not in _kept:
            while len(_kept) >= KEPT:  # first, so that memory never holds more
                _kept.popitem(last=False)
            _kept[key] = make()
        _kept.move_to_end(key)
        made: Made = _kept[key]
        return made


def use_threads(threads: int | None) -> None:
    """Give torch so many threads; sums are split among them, so their number can change the last bits of a result."""
    if threads and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
