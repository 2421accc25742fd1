"""Image folders: every visible file is listed, under the right label, whatever it is called."""

import os
import unicodedata
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image

from pipeline.core.errors import ConfigError, ImageError
from pipeline.images.image_folder import ImageFolder, folder_fingerprint

ODD_NAMES = [
    "with space.png",
    "new\nline.png",
    "ü 日本.png",
    "-rf.png",
    "a'b\"c.png",
    os.fsdecode(b"not \xff utf-8.png"),
]


def put(path: Path, value: int = 0) -> None:
    """An 8 x 8 gray PNG at ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), value).save(path, "PNG")


def test_sub_folders_are_classes(tmp_path: Path) -> None:
    """Labels follow the sorted sub-folders at any depth; files outside of them have none."""
    for name in ("zebra/1.png", "ant/deep/er/2.png", "ant/1.png", "loose.png"):
        put(tmp_path / name)
    images = ImageFolder(str(tmp_path))
    assert images.classes == ("ant", "zebra")
    assert [(entry.key, entry.label) for entry in images.entries()] == [
        ("ant/1.png", 0),
        ("ant/deep/er/2.png", 0),
        ("loose.png", None),
        ("zebra/1.png", 1),
    ]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_file_name_can_be_listed_and_opened(name: str, tmp_path: Path) -> None:
    """A flat folder gives no labels, and an image is found under any name that the system allows."""
    put(tmp_path / name, 9)
    images = ImageFolder(str(tmp_path))
    assert images.classes == ()
    (entry,) = images.entries()
    assert entry.label is None
    with images.open(entry.key) as image:
        assert image.getpixel((0, 0)) == 9


def test_hidden_files_are_left_out_and_circles_end(tmp_path: Path) -> None:
    """Hidden files and folders do not count, and a link back to the folder is not walked for ever."""
    put(tmp_path / "a" / "1.png")
    put(tmp_path / ".thumbnails" / "1.png")
    put(tmp_path / "a" / ".hidden.png")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    assert [entry.key for entry in ImageFolder(str(tmp_path)).entries()] == ["a/1.png"]


def test_digest_is_that_of_the_file(tmp_path: Path) -> None:
    """Equal files have equal digests, other files others."""
    for name, value in (("a.png", 1), ("b.png", 1), ("c.png", 2)):
        put(tmp_path / name, value)
    images = ImageFolder(str(tmp_path))
    assert images.digest("a.png") == images.digest("b.png") != images.digest("c.png")


def test_missing_and_empty_folders_say_what_to_do(tmp_path: Path) -> None:
    """A folder that is not there, a file in its place and an empty folder have different errors."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    for name, found in (("nothing", "found nothing"), ("file", "found a file"), ("empty", "found an empty folder")):
        with pytest.raises(ImageError, match=rf"{name}: expected .*{found}.*images\.root"):
            ImageFolder(str(tmp_path / name))


@pytest.mark.parametrize("lines", ["n1\tn\tant\nn2\tsome other\tzebra fish\n", "n1 ant\n\nn2 zebra fish\n"])
def test_classes_file_names_the_folders(lines: str, tmp_path: Path) -> None:
    """The last column names the folder of the first one, with tabs or with blanks between them."""
    put(tmp_path / "images" / "n1" / "1.png")
    put(tmp_path / "images" / "n2" / "1.png")
    (tmp_path / "classes.txt").write_text(lines)
    images = ImageFolder(str(tmp_path / "images"), str(tmp_path / "classes.txt"))
    assert images.classes == ("ant", "zebra fish")


@pytest.mark.parametrize(
    ("lines", "complaint"), [("n1 ant\n", "none for 'n2'"), ("n1 ant\nn2\n", ":2: expected a folder name and a class")]
)
def test_incomplete_classes_files_are_refused(lines: str, complaint: str, tmp_path: Path) -> None:
    """A folder without a name, or a line without one, is named."""
    put(tmp_path / "images" / "n1" / "1.png")
    put(tmp_path / "images" / "n2" / "1.png")
    (tmp_path / "classes.txt").write_text(lines)
    with pytest.raises(ImageError, match=complaint):
        ImageFolder(str(tmp_path / "images"), str(tmp_path / "classes.txt"))


FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")


@pytest.mark.parametrize("stored", FORMS)
@pytest.mark.parametrize("written", FORMS)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_folders_are_found_whatever_their_accents(
    mark: str, written: Literal["NFC", "NFD"], stored: Literal["NFC", "NFD"], tmp_path: Path
) -> None:
    """A folder and its line match with accents as one character or as two, and with a byte order mark before it."""
    name = "K\u00fche \u1e69"
    put(tmp_path / "images" / unicodedata.normalize(stored, name) / "1.png")
    lines = f"{mark}{unicodedata.normalize(written, name)}\tcow\nother\tx\n"
    (tmp_path / "classes.txt").write_text(lines, encoding="utf-8")
    assert ImageFolder(str(tmp_path / "images"), str(tmp_path / "classes.txt")).classes == ("cow",)
    (tmp_path / "classes.txt").write_text("Kuhe \u1e69\tcow\n", encoding="utf-8")
    with pytest.raises(ImageError, match="found none for"):
        ImageFolder(str(tmp_path / "images"), str(tmp_path / "classes.txt"))


def test_home_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A leading ~ is the user's home folder, for the folder and for its file of names; an unknown user is an error."""
    monkeypatch.setenv("HOME", str(tmp_path))
    put(tmp_path / "photos/ant/1.png", 9)
    (tmp_path / "names.txt").write_text("ant\tArmy ant\n")
    images = ImageFolder("~/photos", "~/names.txt")
    assert images.classes == ("Army ant",)
    with images.open("ant/1.png") as image:
        assert image.getpixel((0, 0)) == 9
    with pytest.raises(ConfigError, match=r"~no-such-user/photos: .* no home folder for ~no-such-user"):
        ImageFolder("~no-such-user/photos")


def test_folders_whose_names_are_no_text_are_classes(tmp_path: Path) -> None:
    """A class's name is text, also where its folder's name is not; the images in it are found."""
    put(tmp_path / os.fsdecode(b"caf\xe9\n") / "1.png", 5)
    images = ImageFolder(str(tmp_path))
    assert images.classes == ("caf\\xe9\\n",)
    (entry,) = images.entries()
    assert entry.label == 0
    with images.open(entry.key) as image:
        assert image.getpixel((0, 0)) == 5


def test_fingerprint_follows_paths_sizes_and_times(tmp_path: Path) -> None:
    """The fingerprint stays while nothing changes; a new time, name or file changes it, a hidden file does not."""
    put(tmp_path / "a" / "1.png")
    first = folder_fingerprint(tmp_path)
    (tmp_path / ".hidden").touch()
    assert folder_fingerprint(tmp_path) == first
    found = {first}
    os.utime(tmp_path / "a" / "1.png", ns=(1, 1))
    found.add(folder_fingerprint(tmp_path))
    (tmp_path / "a" / "1.png").rename(tmp_path / "a" / "2.png")
    found.add(folder_fingerprint(tmp_path))
    put(tmp_path / "b.png")
    found.add(folder_fingerprint(tmp_path))
    assert len(found) == 4


def test_fingerprint_of_nothing_is_refused(tmp_path: Path) -> None:
    """There is no fingerprint of a folder that is not there."""
    with pytest.raises(ImageError, match="expected a folder of images"):
        folder_fingerprint(tmp_path / "nothing")
