"""DVC, which runs the stages that are out of date: what can be checked before it runs, and what its errors mean."""

import json
import os
import re
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

from pipeline.core.errors import ConfigError
from pipeline.core.files import atomic
from pipeline.core.progress import log_line
from pipeline.interruptible import call_interruptibly

RWLOCK = "rwlock"  # in DVC's temporary folder: which process reads or writes which paths
COMMANDS = ("dvc", "atlas")  # in the command line of a process that may hold an entry there
INTERRUPTED = 130  # exit code of a stage that was
CLOCK_SECONDS = 2.0  # the system tells the start of a process to a second, more or less
TERMINAL_CODES = re.compile(r"\x1b\[[0-9;]*m")

Entry = Mapping[str, Any]


def check_dvc(root: Path, outputs: Path) -> None:
    """Refuse a run that DVC would end after the first stage, or before it.

    Args:
        root: the project.
        outputs: its folder of artifacts.

    Raises:
        ConfigError: the project is no DVC repository or in no Git repository, or a folder of artifacts is a link.
    """
    from dvc.config import Config  # noqa: PLC0415  # slow to import
    from dvc.exceptions import DvcException  # noqa: PLC0415  # slow to import

    if not (root / ".dvc").is_dir():
        raise ConfigError(f"{root}: expected a DVC repository (.dvc/), found none; make one with 'atlas init .'")
    try:
        without_git = Config(str(root / ".dvc")).get("core", {}).get("no_scm", False)
    except DvcException as error:
        raise ConfigError(f"{root / '.dvc' / 'config'}: expected DVC's settings, found: {_line(error)}") from None
    if not without_git and not any((folder / ".git").exists() for folder in (root, *root.parents)):
        raise ConfigError(
            f"{root}: expected a Git repository, which .dvc/config counts on, found none; make one with 'git init', or "
            "do without one: dvc config core.no_scm true"
        )
    below = sorted(outputs.iterdir()) if outputs.is_dir() else []
    for path in (outputs, *(path for path in below if not path.name.startswith("."))):
        if path.is_symlink():
            raise ConfigError(
                f"{path}: expected a folder, found a link to {path.readlink()}, which DVC does not follow; remove the "
                "link, and keep the whole project there, or DVC's copies of the artifacts alone: dvc cache dir PATH"
            )


def reproduce() -> None:
    """Let DVC run every stage that is out of date; the caller holds the lock on the outputs.

    Raises:
        ConfigError: DVC refuses to, with the chain of its reasons.
        KeyboardInterrupt: Ctrl-C between two stages.
        SystemExit: a stage failed or was interrupted, and has said so, with its exit code.
    """
    from dvc.exceptions import DvcException  # noqa: PLC0415  # slow to import
    from dvc.stage.exceptions import StageCmdFailedError  # noqa: PLC0415  # slow to import

    # DVC runs `atlas STAGE`: that of this interpreter's environment, also where it is not on the path
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    error = call_interruptibly(_reproduce)
    if error is None:
        return
    failed = next((cause for cause in _causes(error) if isinstance(cause, StageCmdFailedError)), None)
    if failed is not None:
        exited = re.search(r"exited with (-?\d+)$", str(failed).strip())
        code = int(exited[1]) if exited else 1
        if code in (INTERRUPTED, -signal.SIGINT):  # the stage has said so
            raise SystemExit(INTERRUPTED) from None
        log_line(f"atlas: {_line(failed)}")
        raise SystemExit(code) from None
    if isinstance(error, DvcException):
        raise ConfigError(f"dvc: {explain(error)}") from error
    raise error


def _reproduce() -> None:
    from dvc.repo import Repo  # noqa: PLC0415  # slow to import

    with Repo() as repo:
        with repo.lock:
            clear_stale_entries(Path(repo.tmp_dir or ""))
        repo.reproduce()


def clear_stale_entries(folder: Path) -> None:
    """Remove what processes that were killed left in DVC's list of who reads and writes which paths.

    DVC removes entries of processes that no longer exist, but not those whose number another process has by now, nor a
    list that was cut off while it was written: either would block every later run.

    Args:
        folder: DVC's temporary one; the caller holds DVC's lock and that on the outputs.
    """
    path = folder / RWLOCK
    try:
        written, found = path.stat().st_mtime, json.loads(path.read_text(encoding="utf-8"))
        writers = {where: entry for where, entry in found.get("write", {}).items() if not _is_stale(entry, written)}
        readers = {
            where: [entry for entry in entries if not _is_stale(entry, written)]
            for where, entries in found.get("read", {}).items()
        }
    except FileNotFoundError:
        return
    except (ValueError, AttributeError, TypeError, KeyError):  # cut off, or no such list
        path.unlink()
        log_line(f"{path}: damaged when a run was killed, and removed")
        return
    kept = {"write": writers, "read": {where: entries for where, entries in readers.items() if entries}}
    if kept != {"write": {}, "read": {}, **found}:
        with atomic(path) as partial:
            partial.write_text(json.dumps(kept), encoding="utf-8")
        log_line(f"{path}: removed entries of processes that were killed")


def _is_stale(entry: Entry, written: float) -> bool:
    """Whether the process of an entry is gone: there is none of its number, or it is younger or not DVC's.

    Args:
        entry: with its ``pid``.
        written: when the list was last changed, seconds since 1970.
    """
    try:
        process = psutil.Process(int(entry["pid"]))
        if process.create_time() > written + CLOCK_SECONDS:
            return True
        words = [Path(word).stem for word in process.cmdline()]
        parts = {part for word in process.cmdline() for part in Path(word).parts}
    except (psutil.NoSuchProcess, OverflowError):
        return True
    except psutil.AccessDenied:
        return False
    return not any(command in words or command in parts for command in COMMANDS)


def explain(error: BaseException) -> str:
    """The reasons of an error in one line, each once: what failed, why that, and so on."""
    lines: list[str] = []
    for cause in _causes(error):
        line = _line(cause)
        if type(cause).__module__.partition(".")[0] in ("builtins", "json") and not isinstance(cause, OSError):
            break  # how a library noticed it: what it says about it came before
        if line and not any(line in known for known in lines):
            lines.append(line)
    return ": ".join(lines)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _line(error: BaseException) -> str:
    return " ".join(TERMINAL_CODES.sub("", str(error)).split())
