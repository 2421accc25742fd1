"""What lies in files and folders, byte by byte."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

UNFINISHED = ".partial"


def contents(root: Path, places: Iterable[str]) -> dict[str, str]:
    """SHA-256 (hex) of every file in ``places`` below ``root``, by its path below ``root``.

    What bears the name of something unfinished is left out: nobody takes it for an artifact.
    """
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for place in places
        for path in files(root / place)
        if not any(part.endswith(UNFINISHED) for part in path.relative_to(root).parts)
    }


def files(place: Path) -> list[Path]:
    """All files of a folder, or the one file itself; sorted.

    Unlike a glob, a walk passes over folders that a running stage removes meanwhile.
    """
    if place.is_file():
        return [place]
    return sorted(Path(folder) / name for folder, _, names in os.walk(place) for name in names)


def different(found: dict[str, str], expected: dict[str, str]) -> list[str]:
    """Names of files that are missing, too many, or of other bytes."""
    return sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
