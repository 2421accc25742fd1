"""Walking an image folder, and a cheap digest that tells whether it has changed."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.core.errors import ImageError


def check_folder(root: Path) -> None:
    """Make sure that ``root`` is a folder that can be read.

    Raises:
        ImageError: it is not.
    """
    if not root.is_dir():
        found = "a file" if root.exists() else "nothing"
        raise ImageError(f"{root}: expected a folder of images, found {found}; set images.root to your folder")
    if not os.access(root, os.R_OK | os.X_OK):
        raise ImageError(f"{root}: expected a folder that can be read, found no permission; change its permissions")


def walk(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Every file below ``root`` as (relative path with /, status), sorted by path.

    Hidden files and folders are left out; links are followed, circles of links only once.
    """
    yield from sorted(_files(root, "", set()), key=lambda found: found[0])


def folder_fingerprint(root: Path) -> str:
    """Digest (hex) of all paths, sizes and times of change below ``root``; no file is opened.

    Raises:
        ImageError: ``root`` is no folder that can be read.
    """
    check_folder(root)
    digest = hashlib.sha256()
    for path, status in walk(root):
        line = f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _files(folder: Path, prefix: str, above: set[tuple[int, int]]) -> Iterator[tuple[str, os.stat_result]]:
    status = folder.stat()
    here = (status.st_dev, status.st_ino)
    if here in above:
        return
    with os.scandir(folder) as found:
        visible = [entry for entry in found if not entry.name.startswith(".")]
    for entry in visible:
        if entry.is_dir():
            yield from _files(Path(entry.path), f"{prefix}{entry.name}/", above | {here})
        elif entry.is_file():
            yield f"{prefix}{entry.name}", entry.stat()
