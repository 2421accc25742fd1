"""From any plane coordinates to the unit square."""

import numpy as np
from numpy.typing import NDArray


def to_unit_square(
    points: NDArray[np.float64], percentile: float, margin: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Fit [n, 2] points into a frame and move those outside it onto its edge.

    The frame of each axis runs from the ``percentile``-th to the (100 - ``percentile``)-th percentile, widened by
    ``margin`` times that span at both ends alike (Carter et al. 2019 widen one end more than the other).

    Returns:
        The points [n, 2] in 0..1, and which of them lay outside the frame [n].
    """
    low, high = np.percentile(points, [percentile, 100 - percentile], axis=0)
    span = high - low
    low, high = low - margin * span, high + margin * span
    flat = high <= low  # every point has the same coordinate: put it in the middle
    low, high = np.where(flat, low - 0.5, low), np.where(flat, low + 0.5, high)
    outside = ((points < low) | (points > high)).any(axis=1)
    return np.clip((points - low) / (high - low), 0, 1), outside
