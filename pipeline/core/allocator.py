"""Memory of one step of a network kept for the next."""

import ctypes
import sys

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3  # of glibc's mallopt
LARGEST = 32 << 20  # bytes; glibc takes no larger threshold
KEPT = 2**31 - 1


def keep_memory() -> bool:
    """Ask glibc to keep what is freed rather than hand it back to the system.

    A gradient step, or a tangent pass, frees and asks for the same large pieces again and again; each time the system
    would have to clear them anew, which takes up to half of a step on a processor.

    Returns:
        Whether this system's library knows how; elsewhere nothing happens.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(MMAP_THRESHOLD, LARGEST) and mallopt(TRIM_THRESHOLD, KEPT) and mallopt(TOP_PAD, LARGEST))
