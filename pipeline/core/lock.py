"""A lock on ``outputs/``: one process at a time works there.

`atlas run` holds the lock until it ends and passes a token to its stages through the environment. A stage whose token
is that of the holder works under the holder's lock; any other stage acquires the lock itself. It is a file lock of the
operating system, which releases it when the process ends, however it ends. The file beside it only names the holder.

A stage can outlive a run that was killed. It therefore holds a second lock while it works, and a new run checks both.
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

from pipeline.core.errors import BusyError, ConfigError, escape_control_chars
from pipeline.core.files import write_json
from pipeline.core.secrets import redact

VARIABLE = "ATLAS_LOCK"  # holds the token of the run that a stage belongs to
RUN, STAGE = ".lock", ".lock-stage"  # below outputs; DVC does not know of them
TIMEOUT_SECONDS = 0.5  # another process may hold the lock for a moment to see whether it is free
MAX_SHOWN = 200  # characters of a command in a message


@dataclass(frozen=True)
class Holder:
    """The process that holds a lock.

    Attributes:
        token: random, made by the run and passed to its stages.
        pid, host: of the process.
        since: local time with UTC offset.
        command: command line of the process.
    """

    token: str
    pid: int
    host: str
    since: str
    command: str

    def __str__(self) -> str:
        """The holder, as part of a one-line message."""
        shown = self.command if len(self.command) <= MAX_SHOWN else f"{self.command[:MAX_SHOWN]} …"
        return f"'{shown}' (process {self.pid} on {self.host}, since {self.since})"


@contextmanager
def lock(outputs: Path, command: str) -> Iterator[None]:
    """Hold the lock on ``outputs`` while the block lasts; child processes inherit its token in their environment.

    Args:
        outputs: the folder; created if it does not exist.
        command: command line of the holder, for the message that other processes get.

    Raises:
        BusyError: another process holds the lock, or a stage of a run that was killed still works.
    """
    token = secrets.token_hex(16)
    with _acquired(outputs, RUN, command, token):
        # the token is written by now: a stage of another run that starts from here on sees that it is not its own
        with _acquired(outputs, STAGE, command, token):
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
    """Hold the lock on ``outputs`` for one stage: the lock of the run that started it, or one of its own.

    Raises:
        BusyError: another process holds the lock.
    """
    token = os.environ.get(VARIABLE)
    if token is None or not _belongs_to(token, outputs) or _is_free(outputs / RUN):
        with lock(outputs, command):
            yield
        return
    with _acquired(outputs, STAGE, command, token):
        if not _belongs_to(token, outputs):  # its run was killed and another run began in this moment
            raise _busy(outputs, RUN)
        yield


def refuse_busy(outputs: Path) -> None:
    """Raise BusyError if another process holds a lock on ``outputs`` now; creates and locks nothing."""
    for name in (RUN, STAGE):
        if (outputs / name).exists() and not _is_free(outputs / name):
            raise _busy(outputs, name)


def read_holder(outputs: Path, name: str = RUN) -> Holder | None:
    """The last holder on record; None without a readable record."""
    try:
        return Holder(**json.loads((outputs / f"{name}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


@contextmanager
def _acquired(outputs: Path, name: str, command: str, token: str) -> Iterator[None]:
    """Acquire one of the two locks and write its holder beside it."""
    try:
        outputs.mkdir(parents=True, exist_ok=True)
        held = FileLock(outputs / name, timeout=TIMEOUT_SECONDS)
        held.acquire(poll_interval=TIMEOUT_SECONDS / 10)
    except Timeout:
        raise _busy(outputs, name) from None
    except (PermissionError, FileExistsError) as error:
        raise ConfigError(
            f"{outputs}: expected a writable folder, found: {error.strerror}; change its permissions"
        ) from None
    beside = outputs / f"{name}.json"
    try:
        since = datetime.now().astimezone().isoformat(" ", "seconds")
        write_json(
            beside,
            asdict(Holder(token, os.getpid(), socket.gethostname(), since, escape_control_chars(redact(command)))),
        )
        yield
    finally:
        beside.unlink(missing_ok=True)
        held.release()


def _belongs_to(token: str, outputs: Path) -> bool:
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
    return BusyError(
        f"{outputs}: expected no other process at work there, found {holder}; wait until it ends, or stop it"
    )
