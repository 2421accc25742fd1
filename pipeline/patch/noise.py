"""Noise patches with the colours and the spectrum of natural pictures, but nothing in them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def colour_statistics(patches: Sequence[NDArray[np.uint8]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean [3] and covariance [3, 3] of the pixels of patches [y, x, 3]."""
    pixels = np.concatenate([patch.reshape(-1, 3) for patch in patches]).astype(np.float64)
    return pixels.mean(axis=0), np.cov(pixels, rowvar=False, bias=True)


def natural_noise(
    random: np.random.Generator, count: int, side: int, mean: NDArray[np.float64], covariance: NDArray[np.float64]
) -> list[NDArray[np.uint8]]:
    """``count`` patches [side, side, 3] of Gaussian noise with these colours and an amplitude that falls as 1 / f.

    That is the spectrum of natural pictures (Field 1987), and the same at every size that the patch is shown in.

    Args:
        random: where the noise comes from.
        count: patches wanted.
        side: of a patch, pixels.
        mean: [3] of the colours, 0..255.
        covariance: [3, 3] of the colours.
    """
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side))
    amplitude = 1 / np.maximum(frequency, 1 / side)
    amplitude /= np.sqrt(np.mean(amplitude**2))  # the noise keeps the variance of what it is made from
    white = random.normal(size=(count, 3, side, side))
    fields = np.fft.ifft2(np.fft.fft2(white) * amplitude).real
    mixing = np.linalg.cholesky(covariance + 1e-6 * np.eye(3))
    pixels = np.einsum("dc,ncyx->nyxd", mixing, fields) + mean
    return list(np.rint(np.clip(pixels, 0, 255)).astype(np.uint8))
