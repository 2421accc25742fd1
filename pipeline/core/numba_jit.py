"""Numba compilation with the project's options."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])

# sums may be reordered, and NaN is assumed not to occur; infinity keeps its meaning
FASTMATH = {"nnan", "nsz", "reassoc", "contract", "arcp", "afn"}


def jit(function: Function) -> Function:
    """Compile a function of arrays and numbers at its first call; it releases the GIL and is cached on disk."""
    return cast("Function", numba.njit(fastmath=FASTMATH, cache=True, nogil=True)(function))


def eager_jit(*types: object) -> Callable[[Function], Function]:
    """As :func:`jit`, for these argument types only and at import, so that no task waits for the compiler."""

    def compile_now(function: Function) -> Function:
        return cast("Function", numba.njit(types, fastmath=FASTMATH, cache=True, nogil=True)(function))

    return compile_now


def inlined_jit(function: Function) -> Function:
    """As :func:`jit`, for a function that compiled functions call: not cached itself, so that LLVM can inline it."""
    return cast("Function", numba.njit(fastmath=FASTMATH, nogil=True)(function))
