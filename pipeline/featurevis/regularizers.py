"""Regularizers: penalties that keep images smooth, unsaturated and free of borders; one number for each image."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import avg_pool2d, pad

Regularizer = Callable[[Tensor], Tensor]

BORDER = 0.12  # width of the border that the boundary penalty covers, as a share of the side
SMOOTH = 0.01  # differences far below this cost their square, so that flat areas have a gradient


def total_variation(images: Tensor) -> Tensor:
    """Mean length of the color gradient of images [image, 3, y, x] (Rudin, Osher & Fatemi 1992), [image].

    The length is that of both directions together; added up apart they would favor blocks along the axes.
    """
    length: Tensor = _TotalVariation.apply(images)
    return length


def l2(images: Tensor) -> Tensor:
    """Mean squared distance of images [image, 3, y, x] from middle gray, [image]: a penalty on saturated colors."""
    return (images - 0.5).square().mean((1, 2, 3))


def blur(images: Tensor) -> Tensor:
    """Mean squared distance of images [image, 3, y, x] from a blurred copy, [image]: a penalty on fine detail."""
    return (images - _blurred(images).detach()).square().mean((1, 2, 3))


def boundary(images: Tensor) -> Tensor:
    """Detail near the border of images [image, 3, y, x], [image]; the middle is free."""
    height, width = images.shape[-2:]
    rows, columns = (max(1, round(BORDER * side)) for side in (height, width))
    mask = images.new_ones(height, width)
    mask[rows:-rows, columns:-columns] = 0
    mean = images.mean((2, 3), keepdim=True).detach()
    distance = (images - mean).square() + (images - _blurred(images).detach()).square()
    return (distance * mask).sum((1, 2, 3)) / (3 * mask.sum())


REGULARIZERS: Mapping[str, Regularizer] = {
    "total_variation": total_variation,
    "l2": l2,
    "blur": blur,
    "boundary": boundary,
}


def weighted_sum(images: Tensor, weights: Mapping[str, float]) -> Tensor:
    """The weighted sum of the penalties of each image, [image].

    Args:
        images: [image, 3, y, x] in 0..1.
        weights: by name, see :data:`REGULARIZERS`.
    """
    cost = images.new_zeros(len(images))
    for name, weight in weights.items():
        cost = cost + weight * REGULARIZERS[name](images)
    return cost


class _TotalVariation(torch.autograd.Function):
    """The same as by automatic differentiation, in half the passes over memory."""

    @staticmethod
    def forward(ctx: Any, images: Tensor) -> Tensor:
        here = images[:, :, :-1, :-1]
        down, across = images[:, :, 1:, :-1] - here, images[:, :, :-1, 1:] - here
        length = torch.addcmul(down.square(), across, across).add_(SMOOTH**2).sqrt_()
        mean = length.mean((1, 2, 3)) - SMOOTH
        # the gradient is made of the same pieces
        down.div_(length)
        across.div_(length)
        gradient = torch.zeros_like(images)
        gradient[:, :, 1:, :-1] = down
        gradient[:, :, :-1, 1:] += across
        gradient[:, :, :-1, :-1] -= down.add_(across)
        ctx.save_for_backward(gradient)
        ctx.count = length[0].numel()
        return mean

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, outer: Tensor) -> Tensor:
        (gradient,) = ctx.saved_tensors
        scaled: Tensor = gradient * (outer / ctx.count)[:, None, None, None]
        return scaled


def _blurred(images: Tensor) -> Tensor:
    return avg_pool2d(pad(images, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
