"""Paths, and files and folders that are written atomically: they appear whole or not at all."""

import csv
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.core.errors import ConfigError

PARTIAL = ".partial"  # how the names of unfinished files and folders end


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
