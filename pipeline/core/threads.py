"""Work in threads whose results do not depend on how many there are.

Blocks are cut by their size alone, each is worked on by one thread, and matrix products use no threads of their own,
see :func:`single_threaded_blas`.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch
from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """``function`` of each item, in order, with as many threads as torch has."""
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        yield from pool.map(function, items)


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Torch has so many threads while the block lasts."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Matrix products of NumPy and SciPy use one thread each.

    With more threads, the number of threads decides how BLAS divides a sum, and so its rounding.
    """
    with threadpool_limits(1, user_api="blas"):
        yield
