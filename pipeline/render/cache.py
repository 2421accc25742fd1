"""The icon cache: finished icons under their keys, in one SQLite file that outlives kills and crowds."""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Self

from pipeline.core.errors import ArtifactError
from pipeline.render.entry import Entry, packed, unpacked

FILE = "icons.sqlite"
FORMAT = 1  # raised when rows are laid out in another way
BUSY_SECONDS = 60.0  # how long one process waits for others that write
RETRY_SECONDS = 0.02
CHUNK = 500  # keys in one question
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)


class IconCache:
    """Finished icons of all runs of a checkout; a context manager, used by the thread that opened it.

    Several processes of one machine may use it at once. An entry that does not match its checksum counts as absent.
    """

    def __init__(self, folder: Path) -> None:
        """Open the cache in ``folder``, or start one there.

        Raises:
            ArtifactError: the folder cannot be used, or the cache in it is damaged or from another version.
        """
        self._folder = folder
        with _explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(folder / FILE, timeout=BUSY_SECONDS, isolation_level=None)
            self._base.text_factory = bytes
            try:
                self._prepare()
            except BaseException:
                self._base.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._base.close()

    def get(self, keys: Iterable[str]) -> dict[str, Entry]:
        """The icons that are there, by key.

        Raises:
            ArtifactError: the cache is damaged beyond reading.
        """
        found: dict[str, Entry] = {}
        left = iter(keys)
        with _explained(self._folder):
            while chunk := [bytes.fromhex(key) for key in islice(left, CHUNK)]:
                marks = ",".join("?" * len(chunk))
                question = f"SELECT key, body FROM icon WHERE key IN ({marks})"  # noqa: S608  # question marks alone
                for key, body in self._base.execute(question, chunk):
                    entry = unpacked(key, body)
                    if entry is not None:
                        found[key.hex()] = entry
        return found

    def put(self, entries: Mapping[str, Entry]) -> None:
        """Keep icons, all or none; one that is there and whole stays as it is.

        Raises:
            ArtifactError: the disk is full, the folder cannot be written, or the cache is damaged.
        """
        rows = [(key, packed(key, entry)) for key, entry in ((bytes.fromhex(k), e) for k, e in entries.items())]
        with _explained(self._folder), self._transaction():
            for key, body in rows:
                there = self._base.execute("SELECT body FROM icon WHERE key = ?", (key,)).fetchone()
                if there is None or unpacked(key, there[0]) is None:
                    self._base.execute("INSERT OR REPLACE INTO icon VALUES (?, ?)", (key, body))

    def _prepare(self) -> None:
        # A log beside the file lets others read while one writes; where it cannot be, SQLite's own journal stays. With
        # the log a power cut may cost the last rows, but never the file.
        logged = _patiently(self._base, "PRAGMA journal_mode = WAL") == b"wal"
        self._base.execute(f"PRAGMA synchronous = {'NORMAL' if logged else 'FULL'}")
        with self._transaction():
            if not self._base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                self._base.execute("CREATE TABLE icon (key BLOB PRIMARY KEY, body BLOB NOT NULL)")
                self._base.execute(f"PRAGMA user_version = {FORMAT}")
            found = self._base.execute("PRAGMA user_version").fetchone()[0]
        if found != FORMAT:
            raise ArtifactError(_mend(self._folder, f"version {found}"))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._base.execute("COMMIT")
        except BaseException:
            if self._base.in_transaction:
                self._base.execute("ROLLBACK")
            raise


def _patiently(base: sqlite3.Connection, command: str) -> object:
    """The answer to a command for which SQLite itself does not wait while others write."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return base.execute(command).fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in BUSY or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_SECONDS)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Errors of the file system and of SQLite in one line of ours."""
    try:
        yield
    except OSError as error:
        raise ArtifactError(f"{folder}: expected a folder for finished icons, found: {error.strerror}") from None
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in BUSY:
            found = f"another process that writes for {BUSY_SECONDS:.0f} s already; wait for it and run again"
        elif code in NO_ROOM:
            found = f"{error}; make room or allow writing there, and run again"
        else:
            raise ArtifactError(_mend(folder, str(error))) from None
        raise ArtifactError(f"{folder}: expected to write finished icons, found {found}") from None


def _mend(folder: Path, found: str) -> str:
    return (
        f"{folder}: expected finished icons, version {FORMAT}, found {found}; "
        "delete that folder and run again (nothing is lost but time)"
    )
