"""attribution [cell, class] => what the page tells about classes."""

import numpy as np
from numpy.typing import NDArray


def top_classes(attribution: NDArray[np.float32], count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The classes of the largest mean attribution of each cell, largest first; equal ones by their number.

    Args:
        attribution: [cell, class], logit.
        count: classes wanted for each cell; all of them where there are fewer.

    Returns:
        The classes and their values, both [cell, count].
    """
    order = np.argsort(-attribution, axis=1, kind="stable")[:, :count]
    return order, np.take_along_axis(attribution, order, axis=1)


def strength(attribution: NDArray[np.float32]) -> float:
    """How strongly a layer's cells speak of classes: the median over cells of the largest attribution, logit."""
    return float(np.median(attribution.max(axis=1))) if attribution.size else 0.0


def heat(attribution: NDArray[np.float32], scale: float) -> NDArray[np.int8]:
    """Heat planes: every class's attribution in every cell, in 255 steps that are finest around zero.

    ``±127 · sqrt(|attribution| / scale)``: with a thousand classes most values are far below the largest one, and a
    plain division would round them all to zero.

    Args:
        attribution: [cell, class], logit.
        scale: the magnitude that becomes 127, the same for all classes and levels of a layer.

    Returns:
        [class, cell].
    """
    share = np.minimum(np.abs(attribution.T) / scale, 1) if scale else np.zeros_like(attribution.T)
    planes: NDArray[np.int8] = np.rint(127 * np.sqrt(share) * np.sign(attribution.T)).astype(np.int8)
    return planes


def block_size(cells: int, limit: int = 2**18) -> int:
    """Classes whose heat planes share a file, so that it holds about ``limit`` bytes at most."""
    return max(1, limit // max(1, cells))
