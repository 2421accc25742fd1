"""Where the second image set's samples fall: how many into each cell, and of which images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.cells import CellAssignment
from pipeline.core.site_data import images_by_cell


@dataclass(frozen=True)
class Placement:
    """The samples of the second image set that have a place on the layout.

    Attributes:
        levels: the atlas's cells, coarse to fine.
        point: [placed] the point of the layout that each sample is put on.
        image: [placed] row of its image in the second set.
    """

    levels: Sequence[CellAssignment]
    point: NDArray[np.int64]
    image: NDArray[np.int64]

    @property
    def counts(self) -> dict[int, NDArray[np.int64]]:
        """Samples in each cell [cell], by cells a side."""
        return {level.size: np.bincount(level.of_point[self.point], minlength=len(level.cell)) for level in self.levels}

    @property
    def members(self) -> NDArray[np.int64]:
        """[placed] the image of every sample, in the order of the finest cells."""
        return images_by_cell(self.levels[-1].of_point[self.point], np.arange(len(self.point)), self.image)

    @property
    def shared(self) -> dict[int, float]:
        """How much the set's distribution over cells has in common with the atlas's own, by cells a side.

        It is 1 - their total variation distance, 0..1.
        """
        counts = self.counts
        return {level.size: _shared(level.count, counts[level.size]) for level in self.levels}


def _shared(own: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    return float(np.minimum(own / own.sum(), other / max(1, other.sum())).sum())
