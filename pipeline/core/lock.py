"""One process at a time works on ``outputs/``.

`atlas run` takes the lock for its whole time and hands a token to its stages through the environment; a stage whose
token is the holder's works under the holder's lock, any other takes the lock for itself. The lock is the system's own
and ends with its process, however that ends. What is written beside it only says who holds it.

A stage can outlive a run that was killed. It therefore holds a second lock while it works, which a new run finds taken.
"""

import json
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.core.errors import BusyError, ConfigError
from pipeline.core.files import write_json
from pipeline.core.printable import printable

VARIABLE = "ATLAS_LOCK"  # holds the token of the run that a stage belongs to
RUN, STAGE = ".lock", ".lock-stage"  # below outputs; DVC does not know of them
PATIENCE = 0.5  # seconds; others may look for a moment whether the lock is free
LONGEST = 200  # characters of a command that are shown


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    Attributes:
        token: drawn by the run; its stages show it.
        pid, host: of the process.
        since: local time, with its offset.
        command: as it was typed.
    """

    token: str
    pid: int
    host: str
    since: str
    command: str

    def __str__(self) -> str:
        """The holder in a part of one line."""
        shown = self.command if len(self.command) <= LONGEST else f"{self.command[:LONGEST]} …"
        return f"'{shown}' (process {self.pid} on {self.host}, since {self.since})"


@contextmanager
def lock(outputs: Path, command: str) -> Iterator[None]:
    """Hold ``outputs`` while the block lasts; processes that it starts find its token in their environment.

    Args:
        outputs: the folder; made where there is none.
        command: what the holder was called by, for the message that others get.

    Raises:
        BusyError: another process holds it, or a stage of a run that was killed is still at work.
    """
    token = secrets.token_hex(16)
    with _claimed(outputs, RUN, command, token):
        # our token is written by now: a stage of another run that starts from here on sees that it is not its own
        with _claimed(outputs, STAGE, command, token):
            pass
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = token
        try:
            yield
        finally:
            os.environ.pop(VARIABLE)
            if before is not None:
                os.environ[VARIABLE] = before


@contextmanager
def lock_stage(outputs: Path, command: str) -> Iterator[None]:
    """Hold ``outputs`` for one stage, under the lock of the run that started it or under one of its own.

    Raises:
        BusyError: another process holds it.
    """
    token = os.environ.get(VARIABLE)
    if token is None or not _is_of(token, outputs) or _is_free(outputs / RUN):
        with lock(outputs, command):
            yield
        return
    with _claimed(outputs, STAGE, command, token):
        if not _is_of(token, outputs):  # its run was killed and another one has begun, just now
            raise _busy(outputs, RUN)
        yield


def refuse_busy(outputs: Path) -> None:
    """Raise BusyError if another process holds ``outputs`` now; makes nothing and takes nothing."""
    for name in (RUN, STAGE):
        if (outputs / name).exists() and not _is_free(outputs / name):
            raise _busy(outputs, name)


def read_holder(outputs: Path, name: str = RUN) -> Holder | None:
    """Who took the lock last, as far as it is written down."""
    try:
        return Holder(**json.loads((outputs / f"{name}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


@contextmanager
def _claimed(outputs: Path, name: str, command: str, token: str) -> Iterator[None]:
    """One of the two locks, with its holder written beside it."""
    try:
        outputs.mkdir(parents=True, exist_ok=True)
        held = FileLock(outputs / name, timeout=PATIENCE)
        held.acquire(poll_interval=PATIENCE / 10)
    except Timeout:
        raise _busy(outputs, name) from None
    except (PermissionError, FileExistsError) as error:
        raise ConfigError(
            f"{outputs}: expected a folder that can be written to, found: {error.strerror}; change its permissions"
        ) from None
    beside = outputs / f"{name}.json"
    try:
        since = datetime.now().astimezone().isoformat(" ", "seconds")
        write_json(beside, asdict(Holder(token, os.getpid(), socket.gethostname(), since, printable(command))))
        yield
    finally:
        beside.unlink(missing_ok=True)
        held.release()


def _is_of(token: str, outputs: Path) -> bool:
    holder = read_holder(outputs)
    return holder is not None and secrets.compare_digest(holder.token, token)


def _is_free(path: Path) -> bool:
    probe = FileLock(path)
    try:
        probe.acquire(blocking=False)
    except Timeout:
        return False
    probe.release()
    return True


def _busy(outputs: Path, name: str) -> BusyError:
    holder = read_holder(outputs, name) or "another process"
    return BusyError(f"{outputs}: expected nobody at work there, found {holder}; wait until it ends, or stop it")
