"""Pictures of a given contrast: values without bounds, brought to one root mean square, then squashed into 0..1."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def squashed(values: Tensor, contrast: float | None) -> Tensor:
    """sigmoid(contrast · values / their root mean square), for each picture on its own.

    Args:
        values: [icon, 3, y, x], without bounds.
        contrast: root mean square of a picture's values before the sigmoid; None leaves them as they are.
    """
    squash: Tensor = _Squash.apply(values, contrast)
    return squash


def root_mean_square(values: Tensor) -> Tensor:
    """Of each picture [icon, 3, y, x], as [icon, 1, 1, 1]; never 0."""
    length = torch.linalg.vector_norm(values, dim=(1, 2, 3), keepdim=True)
    size: Tensor = (length / values[0].numel() ** 0.5).clamp(min=1e-6)
    return size


class _Squash(torch.autograd.Function):
    """The same as by automatic differentiation, in a third of the passes over memory."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, contrast: float | None) -> Tensor:
        size = values.new_ones(()) if contrast is None else root_mean_square(values)
        # torch's own sigmoid rounds otherwise at the end of its memory: a pixel would depend on its place in the batch
        pictures = (values * (-(contrast or 1.0) / size)).exp_().add_(1).reciprocal_()
        ctx.contrast = contrast
        ctx.save_for_backward(values, pictures, size)
        return pictures

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        values, pictures, size = ctx.saved_tensors
        inner = torch.ops.aten.sigmoid_backward(gradient, pictures)
        if ctx.contrast is None:
            return inner, None
        # what would only change the contrast is taken out
        along = (inner.flatten(1)[:, None] @ values.flatten(1)[:, :, None])[..., None] / values[0].numel()
        return inner.addcmul_(values, along / -size.square()).mul_(ctx.contrast / size), None
