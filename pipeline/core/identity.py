"""Digests that name content: of files, and of the settings and sources that an artifact was made from."""

import hashlib
import json
from pathlib import Path
from typing import Any


def identity(description: Any) -> str:
    """SHA-256 (hex) of a JSON-like description; equal descriptions give equal digests."""
    text = json.dumps(description, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_digest(folder: Path) -> str:
    """SHA-256 (hex) over the names and bytes of all files below a folder."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return identity({file.relative_to(folder).as_posix(): file_digest(file) for file in files})


def folder_state(folder: Path) -> str:
    """SHA-256 (hex) over the names, sizes and times of all files below a folder, where reading them takes too long."""
    found = {file.relative_to(folder).as_posix(): file.stat() for file in sorted(folder.rglob("*")) if file.is_file()}
    return identity({name: [state.st_size, state.st_mtime_ns] for name, state in found.items()})
