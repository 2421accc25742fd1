"""Work in threads whose results do not depend on how many there are.

Blocks are cut by their size alone, each is worked on by one thread, and matrix products use no threads of their own,
see :mod:`pipeline.core.steady`.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """``function`` of each item, in order, with as many threads as torch has."""
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        yield from pool.map(function, items)


@contextmanager
def alone() -> Iterator[None]:
    """Torch has one thread while the block lasts: others that wait for work would be in the way of those that read."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def sharing_torch(count: int) -> Iterator[ThreadPoolExecutor]:
    """So many threads, among which those of torch are divided while the block lasts."""
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(max(1, threads // count),))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # a thread that sets its own number also sets that of threads yet to come
