"""Images in a folder: one class for each subfolder, or a flat folder without labels.

With it, a cheap fingerprint of a folder, by which DVC notices a change without opening any file.
"""

import hashlib
import os
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from pipeline.core.errors import ImageError, escape_control_chars
from pipeline.core.files import expand_user, file_digest, read_text
from pipeline.images.decode import open_file
from pipeline.images.image_set import Entry


class ImageFolder:
    """The files of a folder, found at any depth; a key is the path below the folder.

    Each subfolder of the first level is a class, in sorted order; files beside the subfolders have no label. Hidden
    files are left out; files that are not images are listed, and rejected later with a reason.
    """

    def __init__(self, root: str, classes: str | None = None) -> None:
        """List the folder.

        Args:
            root: the folder; ``~`` is the user's home.
            classes: path of a text file that gives each subfolder (first column) its class name (last column), columns
                separated by tabs, or else by the first run of blanks.

        Raises:
            ConfigError: a path starts at a home folder that does not exist.
            ImageError: the folder is missing or empty, or ``classes`` does not name a subfolder.
        """
        self.root = expand_user(root)
        check_folder(self.root)
        self._paths = [path for path, _ in walk(self.root)]
        if not self._paths:
            raise ImageError(f"{root}: expected images, found an empty folder; set images.root to your folder")
        folders = sorted({path.split("/", 1)[0] for path in self._paths if "/" in path})
        self._labels = {folder: label for label, folder in enumerate(folders)}
        # a folder's name may hold bytes that are not UTF-8; a class's name is text
        names = {folder: escape_control_chars(folder) for folder in folders}
        if classes:
            given = read_class_names(expand_user(classes))
            names = {folder: given[_nfc(folder)] for folder in folders if _nfc(folder) in given}
        unnamed = [folder for folder in folders if folder not in names]
        if unnamed:
            raise ImageError(
                f"{classes}: expected a line for each of the {len(folders)} sub-folders of {root}, found none for "
                f"{unnamed[0]!r} and {len(unnamed) - 1} more; add them"
            )
        self.classes: Sequence[str] = tuple(names[folder] for folder in folders)

    def entries(self) -> Sequence[Entry]:
        """Every visible file, sorted by path."""
        return [Entry(path, self._labels.get(path.split("/", 1)[0]) if "/" in path else None) for path in self._paths]

    def open(self, key: str) -> Image.Image:
        """The image, not yet decoded; raises ImageError or OSError."""
        return open_file(self.root / key)

    def digest(self, key: str) -> str:
        """SHA-256 (hex) of the file."""
        return file_digest(self.root / key)


def read_class_names(path: Path) -> dict[str, str]:
    """Class names by folder name in NFC, from lines of ``folder<TAB>…<TAB>name`` or ``folder name``.

    Raises:
        ImageError: the file cannot be read, or a line has one column only.
    """
    try:
        lines = read_text(path).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ImageError(f"{path}: expected a text file of class names, found: {error}; see images.classes") from None
    names: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        columns = line.split("\t") if "\t" in line else line.split(maxsplit=1)
        if len(columns) < 2:
            raise ImageError(f"{path}:{number}: expected a folder name and a class name, found {line!r}; add the name")
        names[_nfc(columns[0].strip())] = escape_control_chars(columns[-1].strip())
    return names


def _nfc(name: str) -> str:
    """The name with accents as one character each; file systems store them in one way or the other."""
    return unicodedata.normalize("NFC", name)


def check_folder(root: Path) -> None:
    """Make sure that ``root`` is a readable folder.

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
    """Digest (hex) of all paths, sizes and modification times below ``root``; no file is opened.

    Raises:
        ImageError: ``root`` is not a readable folder.
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
