"""Memory of one step of a network kept for the next."""

import ctypes
import sys

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4  # of glibc's mallopt
AT_ONCE = 32 << 20  # bytes
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
    # no piece by a mapping of its own, whatever its size: the threshold for those cannot be set above 32 MiB
    return bool(mallopt(MMAP_MAX, 0) and mallopt(TRIM_THRESHOLD, KEPT) and mallopt(TOP_PAD, AT_ONCE))
