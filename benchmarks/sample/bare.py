"""The bare loop: the network's passes on decoded images, as short as they can be written; nothing is stored."""

import warnings
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from pipeline.model.network import Network


def cut_after(network: Network, layers: Sequence[str]) -> list[nn.Sequential]:
    """The parts of a SqueezeNet that end at each of the layers ``features.N`` in turn, and what is left of it.

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
        """Cut the network into pieces.

        Args:
            network: a torchvision SqueezeNet.
            layers: from the first to the deepest.
            batches: decoded input, [image, 3, y, x].
            positions: tangents for each image and layer.
        """
        *self._pieces, rest = cut_after(network, layers)
        self._tails = [nn.Sequential(*self._pieces[index + 1 :], rest) for index in range(len(self._pieces))]
        self._batches = [batch.to(memory_format=torch.channels_last) for batch in batches]
        self._positions = positions

    def forward(self) -> None:
        """As far as the deepest layer."""
        with torch.no_grad():
            for batch in self._batches:
                grid = batch
                for piece in self._pieces:
                    grid = piece(grid)

    def with_tangents(self) -> None:
        """The same, and from each layer on one pass, and one of tangents for each position: all of them together."""
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's own, of its first tangents
            for batch in self._batches:
                grid = batch
                for piece, tail in zip(self._pieces, self._tails, strict=True):
                    grid = piece(grid)
                    _tangents(tail, grid, self._positions)


def _tangents(tail: nn.Module, grid: Tensor, positions: int) -> Tensor:
    """The change of the logits with the activations at one place after another, [position, image, class]."""
    places = torch.linspace(1, grid.shape[2] - 2, positions).long()
    tangents = torch.zeros(positions, *grid.shape)
    for number, place in enumerate(places):
        tangents[number, :, :, place, place] = grid[:, :, place, place]
    changes: Tensor = torch.func.vmap(lambda tangent: torch.func.jvp(tail, (grid,), (tangent,))[1])(tangents)
    return changes
