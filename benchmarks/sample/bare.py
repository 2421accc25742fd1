"""The bare loop: the network's forward passes on decoded images, as short as possible; nothing is stored."""

import warnings
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from pipeline.model.network import Network
from pipeline.sample.baseline import LARGEST


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
        """The same, and from each layer on a forward pass with the tangents of all positions together.

        Before them the passes for the baselines: of some images, one by one, as the stage makes them.
        """
        with torch.no_grad(), warnings.catch_warnings():
            baselines = self._baselines()
            warnings.simplefilter("ignore")  # torch's own, of its first tangents
            for batch in self._batches:
                grid = batch
                for piece, tail, baseline in zip(self._pieces, self._tails, baselines, strict=True):
                    grid = piece(grid)
                    _tangents(tail, grid, baseline, self._positions)

    def _baselines(self) -> list[Tensor]:
        """The mean activation of each layer over the first images, [channel]."""
        images = [image[None] for batch in self._batches for image in batch][:LARGEST]
        sums = [torch.zeros(()) for _ in self._pieces]
        for image in images:
            grid = image
            for number, piece in enumerate(self._pieces):
                grid = piece(grid)
                sums[number] = sums[number] + grid.mean((0, 2, 3))
        return [total / len(images) for total in sums]


def _tangents(tail: nn.Module, grid: Tensor, baseline: Tensor, positions: int) -> Tensor:
    """Derivative of the logits from the baseline to the activations at each position, [position, image, class]."""
    positions_on_diagonal = torch.linspace(1, grid.shape[2] - 2, positions).long()
    tangents = torch.zeros(positions, *grid.shape)
    for number, position in enumerate(positions_on_diagonal):
        tangents[number, :, :, position, position] = grid[:, :, position, position] - baseline
    changes: Tensor = torch.func.vmap(lambda tangent: torch.func.jvp(tail, (grid,), (tangent,))[1])(tangents)
    return changes
