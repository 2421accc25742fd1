"""AdamW on a one-cycle schedule, with the numbers of torch's ``AdamW`` and ``OneCycleLR``.

The two classes of torch would import torch's compiler first, which takes longer than all other imports of the stage.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, pi

import torch
from torch import Tensor
from torch.optim.adamw import adamw

BETA2, EPSILON = 0.999, 1e-8  # as in torch.optim.AdamW
LOWEST_BETA1, HIGHEST_BETA1 = 0.85, 0.95  # these and the following as in torch.optim.lr_scheduler.OneCycleLR
RISING = 0.3  # share of the steps over which the learning rate rises
FIRST_DIVISOR, LAST_DIVISOR = 25.0, 1e4  # peak / first and first / last learning rate


@dataclass(frozen=True)
class OneCycle:
    """The schedule of Smith and Topin (2018, "Super-Convergence"), annealed along half cosines.

    The learning rate rises to its peak and falls to next to nothing; the first beta moves the other way.

    Attributes:
        peak: highest learning rate.
        steps: of the whole training.
    """

    peak: float
    steps: int

    def at(self, step: int) -> tuple[float, float]:
        """Learning rate and first beta of a step, counted from 0."""
        first = self.peak / FIRST_DIVISOR
        turn = RISING * self.steps - 1
        if step <= turn:
            share = step / turn
            return _annealed(first, self.peak, share), _annealed(HIGHEST_BETA1, LOWEST_BETA1, share)
        share = (step - turn) / (self.steps - 1 - turn)
        return _annealed(self.peak, first / LAST_DIVISOR, share), _annealed(LOWEST_BETA1, HIGHEST_BETA1, share)


def _annealed(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2.0 * (cos(pi * share) + 1)


class AdamW:
    """Steps of AdamW for all parameters of a network."""

    def __init__(self, parameters: Iterable[Tensor], schedule: OneCycle, weight_decay: float) -> None:
        """Start with averages of zero."""
        self._parameters = list(parameters)
        self._schedule, self._weight_decay = schedule, weight_decay
        self._average = [torch.zeros_like(one, memory_format=torch.preserve_format) for one in self._parameters]
        self._average_square = [torch.zeros_like(one, memory_format=torch.preserve_format) for one in self._parameters]
        self._counts = [torch.tensor(0.0) for _ in self._parameters]
        self._step = 0

    def step(self) -> None:
        """Move each parameter against its gradient, and drop the gradients.

        Parameters that had none stay as they are.
        """
        moved = [index for index, parameter in enumerate(self._parameters) if parameter.grad is not None]
        learning_rate, beta1 = self._schedule.at(self._step)
        with torch.no_grad():
            adamw(
                [self._parameters[index] for index in moved],
                [gradient for parameter in self._parameters if (gradient := parameter.grad) is not None],
                [self._average[index] for index in moved],
                [self._average_square[index] for index in moved],
                [],
                [self._counts[index] for index in moved],
                amsgrad=False,
                beta1=beta1,
                beta2=BETA2,
                lr=learning_rate,
                weight_decay=self._weight_decay,
                eps=EPSILON,
                maximize=False,
            )
        for parameter in self._parameters:
            parameter.grad = None
        self._step += 1
