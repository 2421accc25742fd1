"""Files: paths, writing files and folders atomically (they appear whole or not at all), digests and checksums."""

import csv
import hashlib
import json
import os
import shutil
import stat
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.core.errors import ConfigError

PARTIAL = ".partial"  # how the names of unfinished files and folders end
BLOCK_BYTES = 2**24  # read at a time for a checksum
TEXT_BYTES = 2**26  # of a text file of a user, at most
SPECIAL_FILES = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write a file or folder to; it is renamed to ``path`` when the block ends well."""
    partial = path.with_name(path.name + PARTIAL)
    discard(partial)
    partial.parent.mkdir(parents=True, exist_ok=True)
    yield partial
    discard(path)
    partial.rename(path)


def write_json(path: Path, content: Any) -> None:
    """Write ``content`` as readable JSON."""
    with atomic(path) as partial:
        partial.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_csv(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Write equally long ``columns`` as a table with a header line."""
    with atomic(path) as partial, partial.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(columns)
        table.writerows(zip(*columns.values(), strict=True))


def discard(path: Path) -> None:
    """Remove a file or folder if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def allocate(path: Path) -> None:
    """Allocate a file's blocks on the disk before it is mapped: on a full one, writing to it would end the process.

    Raises:
        OSError: the disk has no room for it.
    """
    if hasattr(os, "posix_fallocate"):  # not on every system
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def flush(path: Path) -> None:
    """Have the system write a file or folder to the disk now (``fsync``)."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def expand_user(path: str) -> Path:
    """Replace a leading ``~`` or ``~user`` by that home folder.

    Raises:
        ConfigError: there is no home folder of that user, or the text is no path.
    """
    if "\0" in path:
        raise ConfigError(f"{path!r}: expected a path, found a zero character in it; take it out")
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ConfigError(
            f"{path}: expected a path, found no home folder for {path.split('/', maxsplit=1)[0]}; write it in full"
        ) from None


def read_text(path: Path) -> str:
    """The text of a file that a user gives: UTF-8, with or without a byte order mark.

    Raises:
        OSError: it cannot be read, is no regular file (a pipe would block, a device may never end), or holds more than
            :data:`TEXT_BYTES`.
        UnicodeDecodeError: it is not UTF-8.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kind = next((name for is_kind, name in SPECIAL_FILES if is_kind(mode)), "something else")
        raise OSError(f"{kind}, not a regular file")
    with path.open("rb") as file:
        content = file.read(TEXT_BYTES + 1)
    if len(content) > TEXT_BYTES:
        raise OSError(f"more than {TEXT_BYTES / 2**20:.0f} MiB")
    return content.decode("utf-8-sig")


def identity(description: Any) -> str:
    """SHA-256 (hex) of a JSON-like description; equal descriptions give equal digests."""
    text = json.dumps(description, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_checksum(path: Path) -> str:
    """Size and CRC-32 of a file, as text: to notice damage, at twice the speed of SHA-256.

    Raises:
        OSError: it cannot be read.
    """
    size = checksum = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            size, checksum = size + len(block), zlib.crc32(block, checksum)
    return f"{size}:{checksum:08x}"


def folder_digest(folder: Path) -> str:
    """SHA-256 (hex) over the names and bytes of all files below a folder."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return identity({file.relative_to(folder).as_posix(): file_digest(file) for file in files})


def folder_stat_digest(folder: Path) -> str:
    """SHA-256 (hex) over the names, sizes and times of all files below a folder, where reading them takes too long."""
    found = {file.relative_to(folder).as_posix(): file.stat() for file in sorted(folder.rglob("*")) if file.is_file()}
    return identity({name: [state.st_size, state.st_mtime_ns] for name, state in found.items()})
