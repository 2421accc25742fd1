"""The images that patches are cut from, and a patch with all that is known of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.patch.candidates import Exemplar
from pipeline.patch.squares import Square
from pipeline.patch.trials import Forward, Pixels, in_batches


@dataclass(frozen=True)
class Patch:
    """A patch and what it was cut from.

    Attributes:
        pixels: [y, x, 3].
        image: row of the image, -1 for noise.
        own: class of that image, -1 for noise.
        square: where in the network's crop of the image, None for noise.
        exemplar: whose cell proposed it, None outside the atlas's group.
    """

    pixels: Pixels
    image: int = -1
    own: int = -1
    square: Square | None = None
    exemplar: Exemplar | None = None


class Sources:
    """The images that patches are cut from, each as the network sees it, and their classes."""

    def __init__(self, load: Callable[[int], Pixels], labels: NDArray[np.int64], forward: Forward) -> None:
        """Nothing is loaded yet.

        Args:
            load: the network's crop [y, x, 3] of the image in this row.
            labels: [image] the network's class, -1 where it is not known.
            forward: logits [picture, class] of pictures uint8 [picture, 3, y, x].
        """
        self._load, self._labels, self._forward = load, labels, forward
        self._predicted: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._labels)

    def class_of(self, row: int) -> int:
        """The image's label, or what the network takes it for where there is none."""
        if self._labels[row] >= 0:
            return int(self._labels[row])
        if row not in self._predicted:
            self._predicted[row] = int(in_batches(self._forward, self._load(row)[None], 1).argmax())
        return self._predicted[row]

    def cut(self, row: int, square: Square, exemplar: Exemplar | None = None) -> Patch:
        """The patch in this square of an image."""
        rows, columns = (slice(edge, edge + square.side) for edge in (square.top, square.left))
        return Patch(self._load(row)[rows, columns].copy(), row, self.class_of(row), square, exemplar)
