"""Images by how much of a region of the atlas they hold.

Each position of an image belongs to the drawn cell whose direction its activation is nearest to. The share of a region
is the share of the image's positions that belong to its cells, each position weighted by the length of its centered
activation: positions without content, such as sky, are near the layer's mean, and their cell is nearly arbitrary.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.nearest_cells import nearest_cells

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shares:
    """How much of each region images hold.

    Attributes:
        share: [image, region], 0..1.
        position: (row, column) of the position of each image that is most active in the region, [image, region, 2];
            -1 where no position belongs to it.
    """

    share: Doubles
    position: NDArray[np.int64]


def region_shares(maps: Floats, activation: Floats, mean: Floats, regions: NDArray[np.bool_]) -> Shares:
    """The share of each region in each image.

    Args:
        maps: of the layer, [image, channel, y, x].
        activation: mean of each cell of one level, [cell, channel].
        mean: of the whole layer, [channel].
        regions: which cells each region has, [region, cell].
    """
    images, channels, height, width = maps.shape
    flat = np.ascontiguousarray(maps.transpose(0, 2, 3, 1).reshape(-1, channels))
    cell = nearest_cells(flat, activation, mean).cell
    weight = np.linalg.norm(flat.astype(np.float64) - mean, axis=1)
    inside = regions[:, cell] * weight  # [region, position]
    inside = inside.reshape(len(regions), images, height * width)
    total = np.maximum(weight.reshape(images, -1).sum(axis=1), np.finfo(np.float64).tiny)
    place = inside.argmax(axis=2)
    position = np.stack(np.unravel_index(place, (height, width)), axis=-1)
    position[inside.max(axis=2) == 0] = -1
    return Shares((inside.sum(axis=2) / total).T, position.transpose(1, 0, 2))


def ranked(share: Doubles) -> NDArray[np.int64]:
    """Images by the share of what they should hold less that of what they should not, highest first; ties by their row.

    Args:
        share: [image, 2]: of more, and of less.
    """
    return np.argsort(share[:, 1] - share[:, 0], kind="stable")
