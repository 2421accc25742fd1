"""What a photograph is changed toward: an objective for any number of images, and that of a cell of the atlas."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from pipeline.featurevis.composition import Objective
from pipeline.featurevis.objectives import linear

ObjectiveOf = Callable[[int], Objective]  # the same objective for so many images


def toward(layer: str, activation: Tensor, layer_mean: Tensor, at: Literal["center", "mean"] = "mean") -> ObjectiveOf:
    """The objective that moves a layer's activation along a cell's direction.

    The direction is the cell's mean minus the layer's, divided by its squared length, so that the objective of the
    cell's own mean lies 1 above that of the layer's.

    Args:
        layer: dotted module path.
        activation: mean of the cell, [channel], on the device.
        layer_mean: mean over the layer's activations, [channel], on the device.
        at: the ``mean`` over the layer's map, or its ``center``.
    """
    direction = activation - layer_mean
    direction = direction / direction.square().sum().clamp(min=torch.finfo(direction.dtype).tiny)
    return lambda count: linear(layer, direction.expand(count, -1), at)


def value_of_cell(activation: Tensor, layer_mean: Tensor) -> float:
    """The value that :func:`toward` has where the activation is the cell's own mean.

    Args:
        activation: mean of the cell, [channel].
        layer_mean: mean over the layer's activations, [channel].
    """
    direction = activation - layer_mean
    return float((activation @ direction) / direction.square().sum().clamp(min=torch.finfo(direction.dtype).tiny))
