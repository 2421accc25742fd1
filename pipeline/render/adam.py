"""Adam over a batch of icons, element by element: no icon's step depends on another's."""

import torch
from torch import Tensor

DECAY_OF_MEAN = 0.9
DECAY_OF_SQUARE = 0.999
EPSILON = 1e-8


class Adam:
    """The optimiser's memory for one batch (Kingma & Ba 2015, algorithm 1)."""

    def __init__(self, parameters: Tensor) -> None:
        """Start with no memory for ``parameters`` [icon, ...]."""
        self._mean = torch.zeros_like(parameters)
        self._square = torch.zeros_like(parameters)
        self._steps = 0

    def step(self, parameters: Tensor, gradient: Tensor, learning_rate: float) -> Tensor:
        """Parameters one step against the gradient, [icon, ...]."""
        self._steps += 1
        self._mean.lerp_(gradient, 1 - DECAY_OF_MEAN)
        self._square.mul_(DECAY_OF_SQUARE).addcmul_(gradient, gradient, value=1 - DECAY_OF_SQUARE)
        mean = self._mean / (1 - DECAY_OF_MEAN**self._steps)
        square = self._square / (1 - DECAY_OF_SQUARE**self._steps)
        return parameters - learning_rate * mean / (square.sqrt() + EPSILON)
