"""Spreading a layout towards the whole square, so that fewer cells stay empty."""

import numpy as np
from numpy.typing import NDArray

DIRECTIONS = 32
STEP = 0.3
GOLDEN = (5**0.5 - 1) / 2


def spread_evenly(points: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Move points [n, 2] of the unit square part of the way to filling it evenly.

    The way is sliced optimal transport (Rabin et al. 2011) to evenly strewn points: along one direction after the
    other, the points move towards those of the same rank. Order along a direction is kept, so neighbours stay
    neighbours, while crowded places widen and gaps close.

    Args:
        points: [n, 2] in 0..1.
        share: how far each point goes: 0 leaves it alone, 1 goes all the way and leaves no density to see.
    """
    if share == 0:
        return points
    even, moved = _strewn(len(points)), points.copy()
    for index in range(DIRECTIONS):
        angle = np.pi * (index * GOLDEN % 1)
        x, y = np.cos(angle), np.sin(angle)
        along = moved[:, 0] * x + moved[:, 1] * y
        order = np.argsort(along, kind="stable")
        push = STEP * (np.sort(even[:, 0] * x + even[:, 1] * y) - along[order])
        moved[order, 0] += push * x
        moved[order, 1] += push * y
    return np.clip(points + share * (moved - points), 0, 1)


def _strewn(count: int) -> NDArray[np.float64]:
    """Points [count, 2] that fill the unit square evenly (a Kronecker lattice of the golden ratio)."""
    index = np.arange(count)
    return np.stack([(index + 0.5) / count, index * GOLDEN % 1], axis=1)
