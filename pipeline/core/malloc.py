"""Memory of one step of a network kept for the next, in whatever thread either of them runs."""

import ctypes
import sys
from collections.abc import Mapping

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX, ARENA_MAX = -1, -2, -4, -8  # of glibc's mallopt
AT_ONCE = 32 << 20  # bytes
KEPT = 2**31 - 1
ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}  # what share_memory does, for a process that is about to be started


def keep_memory() -> bool:
    """Ask glibc to keep what is freed rather than hand it back to the system.

    A gradient step, or a tangent pass, frees and asks for the same large pieces again and again; each time the system
    would have to clear them anew, which takes up to half of a step on a processor.

    Returns:
        Whether this system's library knows how; elsewhere nothing happens.
    """
    # no piece by a mapping of its own, whatever its size: the threshold for those cannot be set above 32 MiB
    return _set({MMAP_MAX: 0, TRIM_THRESHOLD: KEPT, TOP_PAD: AT_ONCE})


def share_memory() -> bool:
    """Ask glibc to give all threads their memory from one place.

    Otherwise each thread has a place of its own that hands back what is freed, whatever :func:`keep_memory` asked for.
    To be called before there is a second thread; later it changes little.

    Returns:
        As :func:`keep_memory`.
    """
    return _set({ARENA_MAX: 1})


def _set(options: Mapping[int, int]) -> bool:
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(option, value) for option, value in options.items())
