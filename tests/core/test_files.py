"""Text files of users: regular files of UTF-8, and nothing that blocks or never ends."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.config.model import ModelSettings
from pipeline.core import files
from pipeline.core.errors import AtlasError
from pipeline.core.files import allocate, read_text
from pipeline.images.image_folder import ImageFolder
from pipeline.model.metadata import resolve_class_names


def make_socket(path: Path) -> None:
    """A socket in the file system."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))  # the path of a socket is short


def make_huge(path: Path) -> None:
    """A file of 8 GiB without content on the disk."""
    path.touch()
    os.truncate(path, 2**33)


SPECIAL: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (os.mkfifo, "a pipe, not a regular file"),
    "zeros": (lambda path: path.symlink_to("/dev/zero"), "a device, not a regular file"),
    "random": (lambda path: path.symlink_to("/dev/urandom"), "a device, not a regular file"),
    "terminal": (lambda path: path.symlink_to("/dev/null"), "a device, not a regular file"),
    "socket": (make_socket, "a socket, not a regular file"),
    "folder": (Path.mkdir, "a folder, not a regular file"),
    "huge": (make_huge, "more than 64 MiB"),
    "nothing": (lambda path: path, "No such file"),
    "latin-1": (lambda path: path.write_bytes("caf\xe9".encode("latin-1")), "utf-8"),
}


def network_classes(path: Path) -> object:
    """Read it as ``model.classes``."""
    return resolve_class_names(ModelSettings(name="n", architecture={}, weights="random", classes=str(path)), ())


def folder_classes(path: Path) -> object:
    """Read it as ``images.classes``."""
    root = path.parent / "images"
    (root / "caf").mkdir(parents=True, exist_ok=True)
    (root / "caf" / "1.png").touch()
    return ImageFolder(str(root), str(path)).classes


@pytest.mark.parametrize("kind", SPECIAL)
@pytest.mark.parametrize("reader", [network_classes, folder_classes])
def test_a_file_of_classes_is_a_regular_file(reader: Callable[[Path], object], kind: str, in_tmp: Path) -> None:
    """A pipe, a device, a socket, a folder and a file without end are answered in a line that says what they are."""
    make, found = SPECIAL[kind]
    make(in_tmp / "classes.txt")
    with pytest.raises(AtlasError, match=found) as caught:
        reader(in_tmp / "classes.txt")
    assert "model.classes" in str(caught.value) or "images.classes" in str(caught.value)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_text_is_read_with_and_without_a_byte_order_mark(mark: str, in_tmp: Path) -> None:
    """The mark that some editors write is no part of the first name."""
    path = in_tmp / "classes.txt"
    path.write_text(f"{mark}caf\tCaf\u00e9\n", encoding="utf-8")
    assert read_text(path) == "caf\tCaf\u00e9\n"
    assert network_classes(path) == ("Caf\u00e9",)
    assert folder_classes(path) == ("Caf\u00e9",)


def test_a_text_of_the_largest_size_is_read(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is the largest size that is read, in bytes."""
    monkeypatch.setattr(files, "TEXT_BYTES", 4)
    (in_tmp / "four").write_text("abc\n")
    assert read_text(in_tmp / "four") == "abc\n"
    (in_tmp / "five").write_text("abcd\n")
    with pytest.raises(OSError, match="more than"):
        read_text(in_tmp / "five")


def test_an_allocated_file_has_its_blocks(tmp_path: Path) -> None:
    """A sparse file takes no room until it is allocated; it keeps its size and content."""
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        file.truncate(2**20)
    before = sparse.stat().st_blocks
    allocate(sparse)
    assert (before, sparse.stat().st_size) == (0, 2**20)
    assert sparse.stat().st_blocks * 512 >= 2**20
    assert not any(sparse.read_bytes())


def test_every_mapped_file_is_allocated() -> None:
    """Wherever the source makes a file to be mapped, the next line allocates it."""
    found = 0
    for path in (Path(files.__file__).parents[1]).rglob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            if "memmap(" in line and '"w+"' in line:
                found += 1
                assert "allocate(" in lines[number + 1], f"{path}:{number + 1}"
    assert found >= 2
