"""Intervals of means over things of two kinds that were met together, by drawing both kinds anew with replacement.

Things of the two kinds are drawn independently of each other, and a value counts as often as its thing of the one kind
was drawn times as often as that of the other (the bootstrap of crossed factors; Owen 2007, "The pigeonhole bootstrap"),
since answers that share a thing of either kind go together.
"""

import numpy as np
from numpy.typing import NDArray

INSIDE = 0.95


def draws(random: np.random.Generator, count: int, resamples: int) -> NDArray[np.float64]:
    """How often each of ``count`` things is drawn, [resample, count]; every row adds up to ``count``."""
    return random.multinomial(count, np.full(count, 1 / count), size=resamples).astype(np.float64)


def middle(values: NDArray[np.float64]) -> tuple[float, float]:
    """The ends of the interval that holds the middle 95 % of resampled values."""
    low, high = np.quantile(values, [(1 - INSIDE) / 2, (1 + INSIDE) / 2])
    return float(low), float(high)
