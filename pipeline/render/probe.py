"""A network seen from one layer: what it says at the centre of its map about a batch of pictures."""

from copy import deepcopy
from typing import Literal

import torch
from torch import Tensor, nn

from pipeline.core.errors import ConfigError
from pipeline.core.malloc import keep_memory
from pipeline.model.inputs import normalize
from pipeline.model.layers import run_to
from pipeline.model.network import Network
from pipeline.render.redirect import redirect
from pipeline.render.stem import fold_stem


class Probe:
    """The network up to one layer.

    Attributes:
        size: side of the pictures it wants, pixels.
        target: (x, y) in -1..1, where on such a picture the central position of the map looks. A map with an even
            number of positions has no middle one; the one that is taken looks half a position further.
    """

    def __init__(self, network: Network, layer: str, size: int, dtype: Literal["float32", "bfloat16"]) -> None:
        """Prepare the network for many passes.

        Args:
            network: the network, on the device where it shall run.
            layer: how far it is run.
            size: side of the canvas, pixels. Maps see it as it is; tokens need the network's own input size.
            dtype: number type of convolutions and matrix products; all else stays float32.

        Raises:
            ConfigError: the canvas is too small for the network.
        """
        self._layer = layer
        self._shape = network.layers[layer]
        self._preprocessing = network.preprocessing
        self._narrow = dtype == "bfloat16"
        keep_memory()
        self._module = deepcopy(network.module).to(memory_format=torch.channels_last)
        self._folds = fold_stem(self._module, layer)
        if self._narrow:
            _narrow(self._module)
        self.size = network.preprocessing.crop if self._shape.kind == "tokens" else size
        self.target = self._target(next(self._module.parameters()).device)

    def __call__(self, views: Tensor, redirected: float = 0.0) -> Tensor:
        """Pictures to activations at the centre of the map, float32 [icon, channel].

        Args:
            views: [icon, 3, size, size] in 0..1.
            redirected: share of the gradient that silent units pass, 0..1; see :mod:`pipeline.render.redirect`.
        """
        grid = self._grid(views)
        centre: Tensor = grid[:, :, grid.shape[2] // 2, grid.shape[3] // 2]
        if redirected:
            redirect(centre, redirected)
        return centre.float()

    def _grid(self, views: Tensor) -> Tensor:
        inputs = normalize(views, self._preprocessing)
        if not self._folds:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast(views.device.type, torch.bfloat16, enabled=self._narrow):
            return self._shape.to_map(run_to(self._module, self._layer, inputs))

    def _target(self, device: torch.device) -> tuple[float, float]:
        blank = torch.zeros(1, 3, self.size, self.size, device=device)
        try:
            with torch.no_grad():
                height, width = self._grid(blank).shape[2:]
        except (RuntimeError, AssertionError, ValueError) as error:
            raise ConfigError(
                f"render.size: expected a canvas that the network takes as far as {self._layer}, found {self.size} "
                f"pixels a side: {' '.join(str(error).split())}; take a larger one"
            ) from None
        return (0.0 if width % 2 else 1 / width, 0.0 if height % 2 else 1 / height)


def _narrow(module: nn.Module) -> None:
    """Round the large weights once, so that autocast need not do it at every pass."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            part.to(torch.bfloat16)
