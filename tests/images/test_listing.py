"""Going through an image set: every image is either listed or rejected with its reason."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.images.image_folder import ImageFolder
from pipeline.images.image_set import Entry
from pipeline.images.manifest import Listing, list_images, spread_evenly


@pytest.fixture
def folder(tmp_path: Path) -> ImageFolder:
    """Two classes of good images among which there are bad ones."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(3):
            Image.new("RGB", (20 + number, 30), (number, 0, 0)).save(tmp_path / name / f"{number}.png")
    (tmp_path / "a" / "empty.png").touch()
    (tmp_path / "a" / "text.png").write_text("text")
    Image.new("RGB", (4, 30)).save(tmp_path / "b" / "narrow.png")
    Image.new("RGB", (100, 100)).save(tmp_path / "b" / "wide.png")
    return ImageFolder(str(tmp_path))


def listed(folder: ImageFolder, kept: list[Image.Image], limit: int | None = None) -> Listing:
    """The folder's listing, where its class ``a`` is the network's class 5 and its class ``b`` none."""
    return list_images(folder, np.array([5, -1]), limit, max_pixels=2000, min_side=8, keep=kept.append)


def test_good_images_are_listed_and_bad_ones_rejected(folder: ImageFolder) -> None:
    """Good images keep their order, labels, sizes and digests; each bad one has a reason of its own."""
    kept: list[Image.Image] = []
    listing = listed(folder, kept)
    manifest = listing.manifest
    assert manifest.key == ("a/0.png", "a/1.png", "a/2.png", "b/0.png", "b/1.png", "b/2.png")
    assert manifest.image.tolist() == list(range(6))
    assert manifest.label.tolist() == [0, 0, 0, 1, 1, 1]
    assert manifest.class_.tolist() == [5, 5, 5, -1, -1, -1]
    assert manifest.width.tolist() == [20, 21, 22, 20, 21, 22]
    assert set(manifest.height.tolist()) == {30}
    assert manifest.digest == tuple(folder.digest(key) for key in manifest.key)
    assert [image.size for image in kept] == [(20, 30), (21, 30), (22, 30)] * 2
    reasons = dict(zip(listing.keys, listing.reasons, strict=True))
    assert set(reasons) == {"a/empty.png", "a/text.png", "b/narrow.png", "b/wide.png"}
    for key, part in (("a/empty", "empty"), ("a/text", "not an image"), ("b/narrow", "4 x 30"), ("b/wide", "10,000")):
        assert part in reasons[f"{key}.png"]


def test_limit_counts_the_images_looked_at(folder: ImageFolder) -> None:
    """With a limit only so many images are looked at, from both classes."""
    listing = listed(folder, [], limit=4)
    assert len(listing.manifest) + len(listing.keys) == 4
    assert {key[0] for key in (*listing.manifest.key, *listing.keys)} == {"a", "b"}


@pytest.mark.parametrize(("count", "limit"), [(10, 3), (10, 10), (7, 6), (1000, 64)])
def test_a_limited_set_is_spread_evenly(count: int, limit: int) -> None:
    """The chosen entries keep their order and lie at distances that differ by one at most."""
    entries = [Entry(str(index), None) for index in range(count)]
    chosen = [int(entry.key) for entry in spread_evenly(entries, limit)]
    assert len(chosen) == limit
    assert chosen[0] == 0
    steps = np.diff([*chosen, count])
    assert steps.max() - steps.min() <= 1
    assert list(spread_evenly(entries, None)) == entries
