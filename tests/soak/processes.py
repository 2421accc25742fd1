"""Commands that run in processes of their own, and can be killed."""

import multiprocessing
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import MappingProxyType

import psutil

from tests.soak.child import command

TIMEOUT = 180.0  # seconds after which a command counts as hanging


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: its exit code; None where it hung.
        printed: all that it printed.
        seconds: from its start.
    """

    code: int | None
    printed: str
    seconds: float


class Running:
    """A command that runs."""

    def __init__(self, process: BaseProcess, printed: Path) -> None:
        self._process, self._printed, self._began = process, printed, time.monotonic()

    def alive(self, seconds: float) -> bool:
        """Whether it still runs after so many seconds; returns sooner where it ends."""
        self._process.join(seconds)
        return self._process.exitcode is None

    def kill(self) -> None:
        """``kill -9``."""
        self._process.kill()
        self._process.join()

    def descendants(self) -> list[psutil.Process]:
        """The processes below it, at this moment."""
        found: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            found = psutil.Process(self._process.pid).children(recursive=True)
        return found

    def end(self) -> Ended:
        """Wait until it ends by itself; one that hangs is killed."""
        code = None
        if self.alive(TIMEOUT):
            self.kill()
        else:
            code = self._process.exitcode
        seconds = time.monotonic() - self._began
        printed = self._printed.read_text(errors="replace") if self._printed.exists() else ""
        return Ended(code, printed, seconds)


def start(
    arguments: list[str],
    folder: Path,
    file_limit: int | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
    printed: str = "printed.txt",
) -> Running:
    """``atlas`` with ``arguments`` in the checkout ``folder``.

    Args:
        arguments: of the command.
        folder: where it runs.
        file_limit: bytes that a file may have, None for any number.
        environment: variables that differ from those of this process.
        printed: name of the file that takes all that is printed.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.soak.loaded"])
    target = folder / printed
    process = context.Process(target=command, args=(arguments, folder, target, file_limit, dict(environment)))
    process.start()
    return Running(process, target)
