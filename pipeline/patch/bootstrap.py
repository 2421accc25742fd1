"""Intervals of means over images and patches, by drawing both anew with replacement.

Images and patches are drawn independently of each other and every drawn patch meets every drawn image (the bootstrap of
crossed factors; Owen 2007, "The pigeonhole bootstrap"), since answers of one patch, or of one image, go together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

INSIDE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def draws(random: np.random.Generator, count: int, resamples: int) -> NDArray[np.float64]:
    """How often each of ``count`` things is drawn, [resample, count]; every row adds up to ``count``."""
    return random.multinomial(count, np.full(count, 1 / count), size=resamples).astype(np.float64)


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
    low, high = np.quantile(means, [(1 - INSIDE) / 2, (1 + INSIDE) / 2])
    return Estimate(float(value), float(low), float(high))
