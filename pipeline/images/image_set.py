"""What an image set is: anything that lists keys and opens them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL.Image import Image


@dataclass(frozen=True)
class Entry:
    """One image of a set.

    Attributes:
        key: names the image within its set: a relative path, or a number.
        label: index into the set's classes, None where it has none.
    """

    key: str
    label: int | None


class ImageSet(Protocol):
    """A source of images. Any class with these members can be named as ``images._target_``."""

    classes: Sequence[str]
    """Names of the labels; empty where the set has no labels."""

    def entries(self) -> Sequence[Entry]:
        """Every image, in an order that depends on nothing but the set."""

    def open(self, key: str) -> Image:
        """The image as stored, decoded or about to be; raises OSError, or ImageError with a reason."""

    def digest(self, key: str) -> str:
        """SHA-256 (hex) of the image's file, or of its pixels where there is no file."""
