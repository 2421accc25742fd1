"""Loops over numbers as machine code."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])

# sums may be reordered, and nothing is ever NaN; infinity stays a number
FAST = {"nnan", "nsz", "reassoc", "contract", "arcp", "afn"}


def compiled(function: Function) -> Function:
    """Compile a function of arrays and numbers to machine code; it lets other threads run meanwhile."""
    return cast("Function", numba.njit(fastmath=FAST, cache=True, nogil=True)(function))


def compiled_for(*types: object) -> Callable[[Function], Function]:
    """The same for arguments of these types alone, and at once, so that no task waits for it."""

    def compile_now(function: Function) -> Function:
        return cast("Function", numba.njit(types, fastmath=FAST, cache=True, nogil=True)(function))

    return compile_now


def compiled_part(function: Function) -> Function:
    """The same for a function that other compiled ones call: kept with them, not by itself, so that it melts in."""
    return cast("Function", numba.njit(fastmath=FAST, nogil=True)(function))
