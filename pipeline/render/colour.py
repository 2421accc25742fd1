"""Colour axes that are uncorrelated in natural images.

In photographs red, green and blue rise and fall together. A gradient step taken along them mixes lightness with hue;
taken along the principal axes of natural colour, every axis can be learned at its own pace, and chance colours are
natural ones (Olah et al. 2017, "Feature Visualization", the preconditioning section).
"""

from math import sqrt

import torch
from torch import Tensor

# Principal axes of the RGB values (0..1) of the ImageNet photographs, one a column: lightness, blue to yellow,
# magenta to green; and the variance along each (Krizhevsky et al. 2012, section 4.1, as published with its successors).
_AXES = ((-0.5675, 0.7192, 0.4009), (-0.5808, -0.0045, -0.8140), (-0.5836, -0.6948, 0.4203))
_VARIANCES = (0.2175, 0.0188, 0.0045)


def to_rgb(decorrelated: Tensor, chroma: float = 1.0) -> Tensor:
    """Values on the natural colour axes as correlated RGB values.

    Args:
        decorrelated: lightness, blue to yellow, magenta to green without bounds, [icon, 3, y, x].
        chroma: strength of the two colour axes against lightness; 1 is that of photographs.

    Returns:
        RGB values without bounds, [icon, 3, y, x].
    """
    return torch.einsum("rc,icyx->iryx", _mixing(decorrelated, chroma), decorrelated)


def from_rgb(rgb: Tensor, chroma: float = 1.0) -> Tensor:
    """The inverse of :func:`to_rgb`."""
    return torch.einsum("cr,iryx->icyx", torch.linalg.inv(_mixing(rgb, chroma)), rgb)


def _mixing(like: Tensor, chroma: float) -> Tensor:
    """Root of the covariance of natural colour, scaled so that a unit step on the lightness axis has unit length."""
    lightness, *colours = (sqrt(variance / _VARIANCES[0]) for variance in _VARIANCES)
    return like.new_tensor(_AXES) * like.new_tensor([lightness, *(chroma * strength for strength in colours)])
