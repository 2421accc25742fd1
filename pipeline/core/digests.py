"""Digests and checksums: of files, and of the settings and inputs that an artifact was made from."""

import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

BLOCK_BYTES = 2**24


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
