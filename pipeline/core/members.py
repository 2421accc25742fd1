"""The images that fall into the cells of an atlas: one list in the order of the finest cells, stored in blocks.

A finest cell's images begin where those of the cells before it end; a coarser cell is the union of finer ones.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.pack import packed

MEMBERS_PER_BLOCK = 2**16


def images_by_cell(cell: NDArray[np.int64], sample: NDArray[np.int64], image: NDArray[np.int64]) -> NDArray[np.int64]:
    """The image of every point [point], ordered by the cells and then by the sample.

    Args:
        cell: [point] the cell that it lies in.
        sample: [point] the sample that it is.
        image: [sample] row of each sample's image.
    """
    return image[sample[np.lexsort((sample, cell))]]


def member_blocks(images: NDArray[np.int64]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and content of every data file of such a list."""
    for index, start in enumerate(range(0, len(images), MEMBERS_PER_BLOCK)):
        yield f"members-{index}", {"image": packed(images[start : start + MEMBERS_PER_BLOCK])}
