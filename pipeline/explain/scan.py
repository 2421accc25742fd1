"""One pass over the images that are compared: logits, features of the last layer, pixels, and means of a map."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Scan:
    """What the compared images show.

    Attributes:
        rows: of the images in the list of images, ascending, [image].
        logits: of the network, [image, class].
        features: what the last layer takes, [image, number].
        pixels: of the images at low resolution, [image, number].
        means: of the map that a head for class activation maps would be fitted to, [image, channel].
    """

    rows: Sequence[int]
    logits: Floats
    features: Floats
    pixels: Floats
    means: Floats

    @property
    def predicted(self) -> NDArray[np.int64]:
        """The class of the largest logit, [image]."""
        return np.asarray(self.logits.argmax(axis=1), np.int64)

    @property
    def confidence(self) -> Floats:
        """Its probability, [image]."""
        shifted = self.logits - self.logits.max(axis=1, keepdims=True)
        return np.asarray(1 / np.exp(shifted.astype(np.float64)).sum(axis=1), np.float32)
