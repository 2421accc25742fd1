"""Intervals of means over images and patches, by drawing both anew (see :mod:`pipeline.core.bootstrap`).

Every patch was tried on every image, so every drawn patch meets every drawn image.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.bootstrap import middle


@dataclass(frozen=True)
class Estimate:
    """A mean and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def resampled(
    values: NDArray[np.floating], patches: NDArray[np.float64], images: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The mean in each resample [resample].

    Args:
        values: [patch, image].
        patches: draws of the patches [resample, patch].
        images: draws of the images [resample, image].
    """
    means: NDArray[np.float64] = np.einsum("rp,pi,ri->r", patches, values, images, optimize=True) / values.size
    return means


def estimate(value: float, means: NDArray[np.float64]) -> Estimate:
    """The mean with the interval that holds the middle 95 % of the resampled means."""
    return Estimate(float(value), *middle(means))
