"""First pass: sums of rows per cell, and their means."""

import numpy as np
from numpy.typing import NDArray

from pipeline.core.cells import Level, parents


def image_half(image: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which of two halves (0 or 1) each image belongs to.

    It is one bit of a hash of the image's row (the finaliser of SplitMix64; Steele, Lea and Flood 2014), so that no
    regular order of labels falls into one half.
    """
    mixed = image.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((mixed ^ (mixed >> np.uint64(31))) & np.uint64(1)).astype(np.int64)


def coarser(sums: NDArray[np.float64], fine: Level, coarse: Level) -> NDArray[np.float64]:
    """Sums [coarse cell, ...] by adding the four finer cells [fine cell, ...] that each coarse cell is made of."""
    added = np.zeros((len(coarse.cell), *sums.shape[1:]))
    parent = parents(fine, coarse)
    quarter = fine.cell % 2 @ (2, 1)
    for index in range(4):  # within one quarter no two fine cells have the same parent
        chosen = quarter == index
        added[parent[chosen]] += sums[chosen]
    return added


def centred_cosine(
    some: NDArray[np.float64], others: NDArray[np.float64], centre: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Cosines [row] of paired rows [row, channel] after subtracting ``centre`` [channel] from both.

    A row equal to the centre has no direction: its cosine is 0.
    """
    left, right = some - centre, others - centre
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    products = np.einsum("ij,ij->i", left, right)
    cosines: NDArray[np.float64] = np.divide(products, norms, out=np.zeros(len(left)), where=norms > 0)
    return np.clip(cosines, -1, 1)


def reliability(
    half_sums: NDArray[np.float64], half_counts: NDArray[np.float64], mean: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Centred cosine between the means of a cell's two image-disjoint halves; NaN where one half is empty.

    Args:
        half_sums: [cell, half, channel].
        half_counts: [cell, half].
        mean: [channel], of the whole layer.
    """
    both = (half_counts > 0).all(axis=1)
    means = half_sums[both] / half_counts[both][:, :, None]
    result = np.full(len(half_sums), np.nan)
    result[both] = centred_cosine(means[:, 0], means[:, 1], mean)
    return result
