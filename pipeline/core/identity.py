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
