"""Reading activations out of a layer's map."""

import torch
from torch import Tensor


def at_positions(grid: Tensor, positions: Tensor) -> Tensor:
    """The activations at sampled positions.

    Args:
        grid: [image, channel, y, x].
        positions: (y, x) in the map, [image, position, 2].

    Returns:
        [image, position, channel]
    """
    image = torch.arange(len(grid), device=grid.device)[:, None]
    return grid[image, :, positions[..., 0], positions[..., 1]]
