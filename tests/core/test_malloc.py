import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.core.malloc import keep_memory, share_memory

ROOT = Path(__file__).parents[2]

# asks for twice 48 MiB again and again, in the first thread or another one, and tells how often the system had to give
# pages anew
PROGRAM = """
import ctypes, resource, sys, threading
sys.path.insert(0, sys.argv[1])
from pipeline.core.malloc import keep_memory, share_memory
if sys.argv[2] == "share":
    assert share_memory()
if sys.argv[2] in ("keep", "share"):
    assert keep_memory()
size, libc = 48 << 20, ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes, libc.memset.argtypes = [ctypes.c_void_p], [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
if sys.argv[2] == "plain":
    libc.mallopt(-3, 1 << 20)  # else glibc learns by itself from the first piece that is freed
def use():
    pieces = libc.malloc(size), libc.malloc(size)
    for piece in pieces:
        libc.memset(piece, 1, size)
    for piece in pieces:
        libc.free(piece)
def measure():
    use()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        use()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
if sys.argv[3] == "first":
    measure()
else:
    thread = threading.Thread(target=measure)
    thread.start()
    thread.join()
"""


def faults(how: str, thread: str = "first") -> int:
    """Page faults of ten uses of the same large pieces, in a process of its own."""
    command = [sys.executable, "-P", "-c", PROGRAM, str(ROOT), how, thread]
    return int(subprocess.run(command, check=True, capture_output=True, text=True, timeout=50).stdout)


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="another C library than glibc")
def test_memory_is_kept() -> None:
    """With it the system gives next to no pages anew for a piece that was freed before; without it, all of them."""
    kept, plain = faults("keep"), faults("plain")
    assert plain > 10 * 48 * 256 * 0.9 or plain > 10 * kept  # pages of 4 KiB, or larger ones
    assert kept < 0.1 * plain


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="another C library than glibc")
def test_memory_is_kept_in_every_thread() -> None:
    """What is kept in the first thread is kept in others too, but only where all share their memory."""
    shared, apart = faults("share", "other"), faults("keep", "other")
    assert shared < 0.1 * apart
    assert faults("share", "first") < 0.1 * apart


def test_another_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the C library has no such setting nothing happens, and the return value states that."""
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    assert not keep_memory()
    assert not share_memory()
