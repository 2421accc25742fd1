"""The manifest: what is written is what is read, whatever the images are called."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline.core.errors import ArtifactError, ImageError, escape_control_chars
from pipeline.images.image_set import Entry
from pipeline.images.manifest import (
    Manifest,
    ManifestImages,
    read_manifest,
    write_manifest,
    write_rejected,
)

PLAIN = ("a.png", "b/c d.jpg", "ü/日本.png")
ODD = ("a.png", "new\nline.png", "not \udcff utf-8.png")


def manifest_of(keys: Sequence[str]) -> Manifest:
    """A manifest of images with these keys; the second one has no label, the third none of the network's classes."""
    return Manifest(
        image=np.arange(3),
        key=tuple(keys),
        label=np.array([4, -1, 2]),
        class_=np.array([7, -1, -1]),
        width=np.array([10, 20, 30]),
        height=np.array([11, 21, 31]),
        digest=("aa", "bb", "cc"),
    )


@pytest.mark.parametrize("keys", [PLAIN, ODD])
def test_what_is_written_is_read(keys: Sequence[str], tmp_path: Path) -> None:
    """Every column comes back as it was, for any file name that a system allows."""
    manifest = manifest_of(keys)
    write_manifest(tmp_path / "images.parquet", manifest, {"seed": 1}, {})
    found = read_manifest(tmp_path / "images.parquet")
    assert found.key == tuple(keys)
    assert found.digest == manifest.digest
    for column in ("image", "label", "class_", "width", "height"):
        np.testing.assert_array_equal(getattr(found, column), getattr(manifest, column))


def test_columns_are_those_of_the_contract(tmp_path: Path) -> None:
    """Other programs find the documented columns, names as text and missing classes as null."""
    write_manifest(tmp_path / "images.parquet", manifest_of(PLAIN), {}, {})
    table = pq.read_table(tmp_path / "images.parquet")
    assert table.column_names == ["image", "key", "label", "class", "width", "height", "digest"]
    assert table["key"].to_pylist() == list(PLAIN)
    assert table["label"].to_pylist() == [4, None, 2]
    assert table["class"].to_pylist() == [7, None, None]


def test_identity_follows_content() -> None:
    """Equal manifests have one identity; another digest or class gives another one."""
    first, same = manifest_of(PLAIN), manifest_of(PLAIN)
    other = Manifest(**{**vars(same), "digest": ("aa", "bb", "dd")})
    relabeled = Manifest(**{**vars(same), "class_": np.array([7, -1, 1])})
    assert first.identity == same.identity
    assert len({first.identity, other.identity, relabeled.identity}) == 3


def test_rejected_are_kept_with_reasons(tmp_path: Path) -> None:
    """The list of rejected images names each with its reason, odd names included."""
    write_rejected(tmp_path / "rejected.parquet", ODD, ["empty", "text", "cut short"])
    table = pq.read_table(tmp_path / "rejected.parquet")
    assert [key.decode("utf-8", "surrogateescape") for key in table["key"].to_pylist()] == list(ODD)
    assert table["reason"].to_pylist() == ["empty", "text", "cut short"]


def test_missing_broken_or_foreign_files_are_refused(tmp_path: Path) -> None:
    """No file, a file of something else and another program's table each have an error of one line."""
    path = tmp_path / "images.parquet"
    with pytest.raises(ArtifactError, match="found nothing"):
        read_manifest(path)
    path.write_bytes(b"PAR1 and then nonsense")
    with pytest.raises(ArtifactError, match="expected a Parquet file"):
        read_manifest(path)
    pq.write_table(pa.table({"image": [0]}), path)
    with pytest.raises(ArtifactError, match="expected images version 1, found None"):
        read_manifest(path)


def test_no_flipped_bit_passes(tmp_path: Path) -> None:
    """Whichever bit of the file is flipped, its rows are read as they were, or an error of one line tells of it."""
    path = tmp_path / "images.parquet"
    write_manifest(path, manifest_of(PLAIN), {"seed": 1, "images": {"root": "photographs"}}, {"model": "ab"})
    content, whole = path.read_bytes(), read_manifest(path).identity
    lines = []
    for at in range(0, len(content), max(1, len(content) // 1500)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :])
        try:
            assert read_manifest(path).identity == whole, at
        except ArtifactError as error:
            lines.append(str(error))
    assert len(lines) > 300
    assert not any("\n" in line for line in lines)


def test_unequal_columns_are_refused() -> None:
    """A manifest cannot be made from columns of different length."""
    with pytest.raises(ValueError, match="equal length"):
        Manifest(**{**vars(manifest_of(PLAIN)), "digest": ("aa",)})


class OneImage:
    """An image set with a single gray image of a size that can change."""

    classes: Sequence[str] = ()

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size

    def entries(self) -> Sequence[Entry]:
        """The one image."""
        return [Entry("only", None)]

    def open(self, key: str) -> Image.Image:
        """A grayscale image."""
        assert key == "only"
        return Image.new("L", self.size, 77)

    def digest(self, key: str) -> str:
        """Some digest."""
        return key


def test_images_are_loaded_by_row_and_changes_noticed() -> None:
    """A row gives its RGB image; an image that is no longer the one listed is refused by name."""
    one, image_set = np.array([5]), OneImage((5, 9))
    manifest = Manifest(np.array([0]), ("only",), -np.ones(1, np.int64), -np.ones(1, np.int64), one, one + 4, ("d",))
    images = ManifestImages(manifest, image_set)
    assert len(images) == 1
    assert (images.load(0).mode, images.load(0).size) == ("RGB", (5, 9))
    image_set.size = (6, 9)
    with pytest.raises(ImageError, match="only: expected 5 x 9 pixels as listed, found 6 x 9"):
        images.load(0)


def test_odd_names_can_be_printed() -> None:
    """A name that is no text can still be shown in a message."""
    assert escape_control_chars(ODD[2]) == "not \\xff utf-8.png"
    assert escape_control_chars(ODD[1]) == "new\\nline.png"
    assert escape_control_chars(PLAIN[2]) == PLAIN[2]
