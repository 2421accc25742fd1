"""The bare loop: the network's forward passes on decoded images, as short as possible; nothing is stored."""

import warnings
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from pipeline.model.network import Network


def split_after(network: Network, layers: Sequence[str]) -> list[nn.Sequential]:
    """The parts of a SqueezeNet that end at each of the layers ``features.N`` in turn, and the rest of it.

    Args:
        network: a torchvision SqueezeNet.
        layers: from the first to the deepest.
    """
    parts = list(network.module.get_submodule("features").children())
    stops = [0, *(int(layer.rpartition(".")[2]) + 1 for layer in layers)]
    pieces = [nn.Sequential(*parts[start:stop]) for start, stop in pairwise(stops)]
    return [*pieces, nn.Sequential(*parts[stops[-1] :], network.module.get_submodule("classifier"), nn.Flatten())]


class Bare:
    """The loop at some layers."""

    def __init__(self, network: Network, layers: Sequence[str], batches: Sequence[Tensor], positions: int) -> None:
        """Split the network after each layer.

        Args:
            network: a torchvision SqueezeNet.
            layers: from the first to the deepest.
            batches: decoded input, [image, 3, y, x].
            positions: tangents for each image and layer.
        """
        *self._pieces, rest = split_after(network, layers)
        self._tails = [nn.Sequential(*self._pieces[index + 1 :], rest) for index in range(len(self._pieces))]
        self._batches = [batch.to(memory_format=torch.channels_last) for batch in batches]
        self._positions = positions

    def forward(self) -> None:
        """Forward passes up to the deepest layer."""
        with torch.no_grad():
            for batch in self._batches:
                grid = batch
                for piece in self._pieces:
                    grid = piece(grid)

    def with_tangents(self) -> None:
        """The same, and from each layer on a forward pass with the tangents of all positions together."""
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's own, of its first tangents
            for batch in self._batches:
                grid = batch
                for piece, tail in zip(self._pieces, self._tails, strict=True):
                    grid = piece(grid)
                    _tangents(tail, grid, self._positions)


def _tangents(tail: nn.Module, grid: Tensor, positions: int) -> Tensor:
    """Derivative of the logits in the direction of the activations at each position, [position, image, class]."""
    positions_on_diagonal = torch.linspace(1, grid.shape[2] - 2, positions).long()
    tangents = torch.zeros(positions, *grid.shape)
    for number, position in enumerate(positions_on_diagonal):
        tangents[number, :, :, position, position] = grid[:, :, position, position]
    changes: Tensor = torch.func.vmap(lambda tangent: torch.func.jvp(tail, (grid,), (tangent,))[1])(tangents)
    return changes
