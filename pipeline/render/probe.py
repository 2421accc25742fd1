"""A network seen from one layer: what it says at the centre of its map about a batch of pictures."""

from copy import deepcopy
from typing import Literal

import torch
from torch import Tensor, nn

from pipeline.model.layers import run_to
from pipeline.model.network import Network
from pipeline.model.preprocessing import normalise


class Probe:
    """The network up to one layer.

    Attributes:
        size: side of the pictures it wants, pixels.
    """

    def __init__(self, network: Network, layer: str, size: int, dtype: Literal["float32", "bfloat16"]) -> None:
        """Prepare the network for many passes.

        Args:
            network: the network, on the device where it shall run.
            layer: how far it is run.
            size: side of the canvas, pixels. Maps see it as it is; tokens need the network's own input size.
            dtype: number type of convolutions and matrix products; all else stays float32.
        """
        self._layer = layer
        self._shape = network.layers[layer]
        self._preprocessing = network.preprocessing
        self._narrow = dtype == "bfloat16"
        self._module = deepcopy(network.module).to(memory_format=torch.channels_last)
        if self._narrow:
            _narrow(self._module)
        self.size = network.preprocessing.crop if self._shape.kind == "tokens" else size

    def __call__(self, views: Tensor) -> Tensor:
        """Pictures [icon, 3, size, size] in 0..1 to activations at the centre of the map, float32 [icon, channel]."""
        inputs = normalise(views, self._preprocessing).contiguous(memory_format=torch.channels_last)
        with torch.autocast(views.device.type, torch.bfloat16, enabled=self._narrow):
            grid = self._shape.to_map(run_to(self._module, self._layer, inputs))
        centre: Tensor = grid[:, :, grid.shape[2] // 2, grid.shape[3] // 2]
        return centre.float()


def _narrow(module: nn.Module) -> None:
    """Round the large weights once, so that autocast need not do it at every pass."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            part.to(torch.bfloat16)
