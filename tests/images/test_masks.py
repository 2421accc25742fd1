"""Masks of image sets are those of the image, or refused with a line."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.core.errors import DataError
from pipeline.images.digits import Digits
from pipeline.images.image_set import Entry
from pipeline.images.masks import masks_of
from pipeline.images.toytown.toytown import Toytown


def test_toytown_has_masks_of_its_parts() -> None:
    """They are those of the scene, as large as the image."""
    masks = Toytown(3, seed=0).masks("00001")
    assert masks
    assert {mask.shape for mask in masks.values()} == {(64, 64)}


class Manifest:
    """As much of a list of images as is asked for."""

    key, height, width = ("00000", "00001"), np.array([64, 64]), np.array([64, 32])


def test_masks_of_another_size_are_refused() -> None:
    """The line names image, concept, and both sizes; an image set without masks has none."""
    find = masks_of(Toytown(2, seed=0), Manifest())  # type: ignore[arg-type]  # see above
    assert find is not None
    assert find(0)
    with pytest.raises(DataError, match=r"images: expected masks of 00001 as bool 64 x 32, found .* as bool 64 x 64"):
        find(1)
    assert masks_of(Digits(), Manifest()) is None  # type: ignore[arg-type]  # see above


class Broken:
    """An image set whose masks cannot be had."""

    classes = ("a",)

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def entries(self) -> list[Entry]:
        """None are asked for."""
        return []

    def open(self, key: str) -> Image.Image:
        """Never called."""
        raise OSError(key)

    def digest(self, key: str) -> str:
        """Never called."""
        return key

    def masks(self, key: str) -> Any:
        """Nothing, no mapping, or an error."""
        if self._kind == "error":
            raise FileNotFoundError(f"{key}.png")
        return None if self._kind == "nothing" else {"fin": [[1, 0]]}


@pytest.mark.parametrize("kind", ["error", "nothing", "list"])
def test_masks_that_cannot_be_had_end_in_a_line(kind: str) -> None:
    """An error in the user's method, no mapping, and masks of another type are told with the image's key."""
    find = masks_of(Broken(kind), Manifest())  # type: ignore[arg-type]  # see above
    assert find is not None
    with pytest.raises(DataError, match=r"images: expected masks of 00000 .*mend the method masks"):
        find(0)
