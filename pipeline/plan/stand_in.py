"""Pictures that stand for an image set that is not on this machine."""

import hashlib
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from pipeline.images.image_set import Entry

WIDTH, HEIGHT = 500, 375  # as most photographs of ImageNet
COARSE = 25  # pixels of the noise that a picture is enlarged from
COUNT = 64


def picture(width: int, height: int, seed: int) -> Image.Image:
    """Smooth coloured noise with a little grain, RGB: about as hard to code as a photograph."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (height // COARSE + 1, width // COARSE + 1, 3), np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), np.float64)
    return Image.fromarray((smooth + random.normal(0, 6, smooth.shape)).clip(0, 255).astype(np.uint8))


class StandIn:
    """One such picture as a JPEG file in memory, under several keys; without labels."""

    def __init__(self) -> None:
        made = io.BytesIO()
        picture(WIDTH, HEIGHT, seed=0).save(made, "jpeg", quality=90)
        self._file = made.getvalue()
        self.classes: Sequence[str] = ()

    def entries(self) -> Sequence[Entry]:
        """As many keys as are decoded to measure how fast that is."""
        return [Entry(str(number), None) for number in range(COUNT)]

    def open(self, _key: str) -> Image.Image:
        """The picture, to be decoded anew."""
        return Image.open(io.BytesIO(self._file))

    def digest(self, _key: str) -> str:
        """SHA-256 (hex) of the file."""
        return hashlib.sha256(self._file).hexdigest()
