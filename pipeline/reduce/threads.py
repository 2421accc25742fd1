"""Work in threads whose results do not depend on how many there are.

Blocks are cut by their size alone, each is worked on by one thread, and matrix products use no threads of their own,
see :mod:`pipeline.core.steady`.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

import numba
import torch

Item = TypeVar("Item")
Result = TypeVar("Result")
Function = TypeVar("Function", bound=Callable[..., object])

# sums may be reordered, and nothing is ever NaN; infinity stays a number
FAST = {"nnan", "nsz", "reassoc", "contract", "arcp", "afn"}


def compiled(function: Function) -> Function:
    """Compile a function of arrays and numbers to machine code; it lets other threads run meanwhile."""
    return cast("Function", numba.njit(fastmath=FAST, cache=True, nogil=True)(function))


def compiled_part(function: Function) -> Function:
    """The same for a function that other compiled ones call: kept with them, not by itself, so that it melts in."""
    return cast("Function", numba.njit(fastmath=FAST, nogil=True)(function))


def in_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """``function`` of each item, in order, with as many threads as torch has."""
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        yield from pool.map(function, items)
