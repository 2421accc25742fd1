"""Reading stored rows block by block, together with the points that are made from them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core.statistics import block_bounds


def point_blocks(array: zarr.Array[Any], sample: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[Any]]]:
    """Go once through a stored array: (points, their rows of the array), block by block.

    Args:
        array: [sample, ...], stored.
        sample: [point] row of each point in ``array``.
    """
    order = np.argsort(sample, kind="stable")
    ordered = sample[order]
    for start, stop in block_bounds(array):
        first, last = np.searchsorted(ordered, [start, stop])
        if first < last:
            block = np.asarray(array[start:stop])
            yield order[first:last], block[ordered[first:last] - start]
