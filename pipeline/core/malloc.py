"""Settings of glibc's malloc that keep freed memory for the next step of a network, in whichever thread it runs."""

import ctypes
import sys
from collections.abc import Mapping

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX, ARENA_MAX = -1, -2, -4, -8  # of glibc's mallopt
PAD_BYTES = 32 << 20
MAX_THRESHOLD = 2**31 - 1
ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}  # the same as share_memory, for a process that is about to be started


def keep_memory() -> bool:
    """Have glibc keep freed memory instead of returning it to the system.

    A gradient step, or a pass with tangents, frees and allocates the same large blocks again and again; each time the
    system would have to clear them, which takes up to half of a step on a processor.

    Returns:
        Whether this system's C library supports it; elsewhere nothing is changed.
    """
    # no block is a mapping of its own, whatever its size: the threshold for those cannot be set above 32 MiB
    return _set({MMAP_MAX: 0, TRIM_THRESHOLD: MAX_THRESHOLD, TOP_PAD: PAD_BYTES})


def share_memory() -> bool:
    """Have glibc allocate the memory of all threads in one arena.

    Otherwise each thread has an arena of its own that returns freed memory, whatever :func:`keep_memory` has set. Call
    it before a second thread starts; later it changes little.

    Returns:
        As :func:`keep_memory`.
    """
    return _set({ARENA_MAX: 1})


def _set(options: Mapping[int, int]) -> bool:
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(option, value) for option, value in options.items())
