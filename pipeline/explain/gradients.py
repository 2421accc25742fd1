"""Gradients of scores with respect to the image, and their integral from a baseline."""

from collections.abc import Callable

import torch
from torch import Tensor


def input_gradient(score: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    """The gradient of the scores with respect to the inputs, as large as these.

    Args:
        score: of inputs, [image]; each depends on its own image alone.
        inputs: [image, 3, y, x].
    """
    with torch.enable_grad():
        start = inputs.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(score(start).sum(), start)
    return gradient


def integrated_gradients(score: Callable[[Tensor], Tensor], inputs: Tensor, baseline: Tensor, steps: int) -> Tensor:
    """Difference from the baseline times the mean gradient between both, as large as the inputs.

    Sundararajan et al. 2017, with the midpoints of equal pieces of the straight line. The values of an image add up to
    the score of the image minus that of its baseline, up to the error of the sum.

    Args:
        score: of inputs, [image].
        inputs: [image, 3, y, x].
        baseline: of each image, of the same shape.
        steps: of the sum.
    """
    change = inputs - baseline
    total = torch.zeros_like(inputs)
    for number in range(steps):
        total += input_gradient(score, baseline + (number + 0.5) / steps * change)
    return change * total / steps
