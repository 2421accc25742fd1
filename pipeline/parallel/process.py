"""What one process has: its threads, and the objects that tasks share.

The number of threads does not change the result of :func:`in_threads`: blocks are cut by their size alone, each block
is processed by one thread, and matrix products use one thread, see :func:`single_threaded_blas`.
"""

import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Result = TypeVar("Result")
State = TypeVar("State")

CACHED = 2  # objects that a process keeps; each may hold a whole network

_cached: "OrderedDict[Hashable, Any]" = OrderedDict()
_lock = threading.RLock()


def in_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Yield ``function(item)`` for each item, in order, with as many threads as :func:`thread_count` says."""
    with ThreadPoolExecutor(thread_count()) as pool:
        yield from pool.map(function, items)


def thread_count() -> int:
    """Threads of this process: those of torch, and as many where torch is not loaded, which takes seconds.

    torch has ``OMP_NUM_THREADS`` threads, or one for each core.
    """
    if "torch" in sys.modules:
        import torch  # noqa: PLC0415  # see the line above

        return torch.get_num_threads()  # which a pool may have set
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()  # the others are those of nested regions
    if first.isdecimal() and int(first) > 0:
        return int(first)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Set the number of torch's threads while the block lasts."""
    import torch  # noqa: PLC0415  # see thread_count

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Matrix products of NumPy and SciPy use one thread while the block lasts.

    With several threads, their number decides how BLAS splits a sum, and so how it rounds.
    """
    with threadpool_limits(1, user_api="blas"):
        yield


def use_threads(threads: int | None) -> None:
    """Set the number of torch's threads for this process; None leaves it unchanged.

    Sums are split among threads, so their number can change the last bits of a result.
    """
    if not threads:
        return
    import torch  # noqa: PLC0415  # see thread_count

    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


def cached_per_process(key: Hashable, make: Callable[[], State]) -> State:
    """The result of ``make``, called once in this process for each ``key``; only the last few results are kept."""
    with _lock:
        if key not in _cached:
            while len(_cached) >= CACHED:  # before the call, so that memory never holds one more
                _cached.popitem(last=False)
            _cached[key] = make()
        _cached.move_to_end(key)
        state: State = _cached[key]
        return state
