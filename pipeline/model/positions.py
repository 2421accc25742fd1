"""Positions in a layer's map: from relative image coordinates to map positions, and the activations there."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.core.errors import DataError
from pipeline.model.description import LayerShape


def map_positions(places: NDArray[np.float64], height: int, width: int, border: int) -> NDArray[np.int32]:
    """Map positions (y, x) of relative image coordinates, with ``border`` positions left out at each side.

    A side that is too short for the border keeps all its positions.

    Args:
        places: [..., 2] in [0, 1).
        height: of the layer's map.
        width: of the layer's map.
        border: positions left out at each side.
    """
    size, inset = np.array([height, width]), np.array([_inset(height, border), _inset(width, border)])
    positions: NDArray[np.int32] = (inset + np.floor(places * (size - 2 * inset))).astype(np.int32)
    return positions


def interior(grid: Tensor, border: int) -> Tensor:
    """The positions of a map [image, channel, y, x] that :func:`map_positions` can return, as a smaller map."""
    top, left = (_inset(side, border) for side in grid.shape[2:])
    return grid[:, :, top : grid.shape[2] - top, left : grid.shape[3] - left]


def _inset(side: int, border: int) -> int:
    """Positions left out at each end of a side."""
    return border if side > 2 * border else 0


def at_positions(grid: Tensor, positions: Tensor) -> Tensor:
    """The activations at map positions.

    Args:
        grid: [image, channel, y, x].
        positions: (y, x) in the map, [image, position, 2].

    Returns:
        [image, position, channel]
    """
    image = torch.arange(len(grid), device=grid.device)[:, None]
    return grid[image, :, positions[..., 0], positions[..., 1]]


def activations_at_places(
    layer: str, shape: LayerShape, output: Tensor, places: NDArray[np.float64], border: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The activations of a batch at relative image coordinates.

    Args:
        layer: its name, for error lines.
        shape: of its output.
        output: of the layer for the batch, in its own order of dimensions.
        places: [image, place, 2] in [0, 1).
        border: positions left out at each side of the map.

    Returns:
        The activations [row, channel] and their positions [image, place, 2]; rows in the order image, place.

    Raises:
        DataError: an activation is not finite.
    """
    grid = shape.to_map(output)
    positions = map_positions(places, grid.shape[2], grid.shape[3], border)
    index = torch.from_numpy(positions).long().to(output.device)
    activation: NDArray[np.float32] = at_positions(grid, index).flatten(0, 1).float().cpu().numpy()
    require_finite(layer, activation)
    return activation, positions


def require_finite(layer: str, activation: NDArray[np.floating]) -> None:
    """Raise DataError if some activation of the layer is not finite."""
    if not np.isfinite(activation).all():
        raise DataError(
            f"{layer}: expected finite activations, found {int((~np.isfinite(activation)).sum())} that are not; "
            "check the weights and the preprocessing"
        )
