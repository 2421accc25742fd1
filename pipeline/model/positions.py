"""Positions of a layer's map: where a place of the image lies in it, and what the layer answers there."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def map_positions(places: NDArray[np.float64], height: int, width: int, border: int) -> NDArray[np.int32]:
    """The map positions (y, x) of relative places, with ``border`` positions left out at each side.

    A side too short for the border keeps all its positions.

    Args:
        places: [..., 2] in [0, 1).
        height: of the layer's map.
        width: of the layer's map.
        border: positions left out at each side.
    """
    size = np.array([height, width])
    inset = np.where(size > 2 * border, border, 0)
    positions: NDArray[np.int32] = (inset + np.floor(places * (size - 2 * inset))).astype(np.int32)
    return positions


def at_positions(grid: Tensor, positions: Tensor) -> Tensor:
    """The activations at positions.

    Args:
        grid: [image, channel, y, x].
        positions: (y, x) in the map, [image, position, 2].

    Returns:
        [image, position, channel]
    """
    image = torch.arange(len(grid), device=grid.device)[:, None]
    return grid[image, :, positions[..., 0], positions[..., 1]]
