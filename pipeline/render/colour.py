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


def mixing(chroma: float = 1.0) -> Tensor:
    """The matrix that turns values on the natural colour axes into correlated RGB values, float32 [3, 3].

    A column is an axis: lightness, blue to yellow, magenta to green. A unit step along lightness has unit length.

    Args:
        chroma: strength of the two colour axes against lightness; 1 is that of photographs.
    """
    lightness, *colours = (sqrt(variance / _VARIANCES[0]) for variance in _VARIANCES)
    return torch.tensor(_AXES) * torch.tensor([lightness, *(chroma * strength for strength in colours)])
