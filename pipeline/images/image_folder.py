"""Images in a folder: one class for each sub-folder, or a flat folder without labels."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from pipeline.core.digests import file_digest
from pipeline.core.errors import ImageError
from pipeline.core.home import expanded
from pipeline.core.printable import printable
from pipeline.images.decode import open_file
from pipeline.images.fingerprint import check_folder, walk
from pipeline.images.image_set import Entry


class ImageFolder:
    """The files of a folder, found at any depth; a key is the path below the folder.

    Each sub-folder of the first level is a class, in sorted order; files beside the sub-folders have no label. Hidden
    files are left out; files that are no images are listed, and rejected later with a reason.
    """

    def __init__(self, root: str, classes: str | None = None) -> None:
        """Look through the folder.

        Args:
            root: the folder; ``~`` is the user's home.
            classes: path of a text file that gives each sub-folder (first column) its class name (last column), columns
                separated by tabs, or else by the first run of blanks.

        Raises:
            ConfigError: a path begins at a home folder that is not there.
            ImageError: the folder is missing or empty, or ``classes`` does not name a sub-folder.
        """
        self.root = expanded(root)
        check_folder(self.root)
        self._paths = [path for path, _ in walk(self.root)]
        if not self._paths:
            raise ImageError(f"{root}: expected images, found an empty folder; set images.root to your folder")
        folders = sorted({path.split("/", 1)[0] for path in self._paths if "/" in path})
        self._labels = {folder: label for label, folder in enumerate(folders)}
        # a folder's name may hold bytes that are no UTF-8; a class's name is text
        names = read_class_names(expanded(classes)) if classes else {folder: printable(folder) for folder in folders}
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
    """Class names by folder name, from lines of ``folder<TAB>…<TAB>name`` or ``folder name``.

    Raises:
        ImageError: the file cannot be read, or a line has one column only.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ImageError(f"{path}: expected a text file of class names, found: {error}; see images.classes") from None
    names: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        columns = line.split("\t") if "\t" in line else line.split(maxsplit=1)
        if len(columns) < 2:
            raise ImageError(f"{path}:{number}: expected a folder name and a class name, found {line!r}; add the name")
        names[columns[0].strip()] = printable(columns[-1].strip())
    return names
