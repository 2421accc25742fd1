"""Exemplars of cells => the images they came from and the places in them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LARGEST_PATCH = 0.5


@dataclass(frozen=True)
class Patch:
    """The square of the network's input that is shown for an exemplar.

    Attributes:
        side: of the square, as a share of the input's side.
        limited: the receptive field is larger than that.
    """

    side: float
    limited: bool


def patch(receptive_field: int, crop: int) -> Patch:
    """The square shown for a layer: its receptive field, but at most half of the input.

    Args:
        receptive_field: of the layer, input pixels.
        crop: side of the network's input, pixels.
    """
    share = receptive_field / crop
    return Patch(side=min(share, LARGEST_PATCH), limited=share > LARGEST_PATCH)


def places(
    exemplar: NDArray[np.int64], image: NDArray[np.int64], position: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Look the exemplars up among the samples.

    Args:
        exemplar: [cell, rank] rows of samples, -1 where there are fewer.
        image: [sample] row of each sample's image.
        position: [sample, 2] (y, x) in the layer's map.

    Returns:
        The image rows [cell, rank], -1 for none, and the positions [cell, rank, 2], 0 for none.
    """
    there = exemplar >= 0
    row = np.where(there, exemplar, 0)
    return np.where(there, image[row], -1), np.where(there[..., None], position[row], 0).astype(np.int64)


def spread_to_cells(values: NDArray[np.float32], cell: NDArray[np.int64], cells: int) -> NDArray[np.float32]:
    """Values known for some cells as one value a cell, NaN for the others.

    Args:
        values: [icon].
        cell: [icon] the cell of each.
        cells: how many cells there are.
    """
    full = np.full(cells, np.nan, np.float32)
    full[cell] = values
    return full
