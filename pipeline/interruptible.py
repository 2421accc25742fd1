"""Interrupting a function that starts processes: Ctrl-C in a terminal, and a SIGINT to this process alone."""

import ctypes
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import psutil

PATIENCE_SECONDS = 10.0  # in which a process ends that has got the terminal's Ctrl-C itself


def call_interruptibly(function: Callable[[], None]) -> BaseException | None:
    """Call a function that starts processes, and return what it raised; SIGINT ends it and its processes.

    In the main thread DVC ignores SIGINT while a stage works, so the function runs in another one. A terminal's Ctrl-C
    reaches all its processes at once; a SIGINT to this one alone is passed on to those below it.
    """
    others = set(psutil.Process().children())
    raised: list[BaseException] = []
    done = Event()  # an interrupted Thread.join() takes the thread for ended

    def call() -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001  # the caller raises it
            raised.append(error)
        finally:
            done.set()

    thread = Thread(target=call, name="dvc", daemon=True)
    thread.start()
    patience = PATIENCE_SECONDS if _in_foreground() else 0.0
    while not done.is_set():
        try:
            done.wait()
        except KeyboardInterrupt:
            if not set(psutil.Process().children()) - others:
                _interrupt(thread)
                continue
            with suppress(KeyboardInterrupt):
                done.wait(patience)
            for process in () if done.is_set() else set(psutil.Process().children(recursive=True)) - others:
                with suppress(psutil.Error, ValueError):
                    process.send_signal(signal.SIGINT)
    return raised[0] if raised else None


def _interrupt(thread: Thread) -> None:
    """Raise KeyboardInterrupt in another thread."""
    raised_in, error = ctypes.c_ulong(thread.ident or 0), ctypes.py_object(KeyboardInterrupt)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(raised_in, error)


def _in_foreground() -> bool:
    """Whether this process belongs to those that a terminal sends Ctrl-C to."""
    try:
        with Path("/dev/tty").open("rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except (OSError, AttributeError):
        return False
