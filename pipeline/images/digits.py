"""Scikit-learn's handwritten digits: 1,797 real 8 × 8 scans that ship with the library, so nothing is downloaded."""

import hashlib
from collections.abc import Sequence

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from pipeline.images.image_set import Entry


class Digits:
    """The digits, enlarged to ``size`` × ``size`` pixels with a Lanczos filter; white on black."""

    def __init__(self, size: int = 32) -> None:
        scans, labels = load_digits(return_X_y=True)
        # ink comes in 17 steps, 0..16
        self._scans = np.rint(scans.reshape(-1, 8, 8) * (255.0 / 16.0)).astype(np.uint8)
        self._labels = [int(label) for label in labels]
        self._size = size
        self.classes: Sequence[str] = tuple("0123456789")

    def entries(self) -> Sequence[Entry]:
        """Every digit, in the library's order."""
        return [Entry(f"{index:04d}", label) for index, label in enumerate(self._labels)]

    def open(self, key: str) -> Image.Image:
        """The digit as an RGB image."""
        scan = Image.fromarray(self._scans[int(key)])
        return scan.resize((self._size, self._size), Image.Resampling.LANCZOS).convert("RGB")

    def digest(self, key: str) -> str:
        """SHA-256 (hex) of the enlarged pixels."""
        return hashlib.sha256(self.open(key).tobytes()).hexdigest()
