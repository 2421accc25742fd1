"""Centres of many points (k-means), the same for any number of threads."""

import numpy as np
from numpy.typing import NDArray

from pipeline.parallel.process import in_threads

POINTS_EACH = 64  # points a centre that it is learnt from
ROUNDS = 6
BLOCK = 4096


class Centres:
    """Points [centre, component] that cut space into cells: what is nearer to one than to all others."""

    def __init__(self, places: NDArray[np.float32]) -> None:
        self.places = places
        self._squares = (places**2).sum(axis=1)

    def __len__(self) -> int:
        return len(self.places)

    @classmethod
    def of(cls, points: NDArray[np.float32], seed: int) -> "Centres":
        """About as many centres as the root of the number of points [n, component], by Lloyd's algorithm.

        It learns from some of the points, drawn at random by ``seed``, as its first places are.
        """
        count = max(round(len(points) ** 0.5), 1)
        chance = np.random.default_rng(seed)
        some = points[np.sort(chance.permutation(len(points))[: POINTS_EACH * count])]
        centres = cls(some[chance.permutation(len(some))[:count]])
        for _ in range(ROUNDS):
            centres = cls(_means(some, centres.nearest(some), centres.places))
        return centres

    def squared(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Squared distances [n, centre] of points [n, component], less what is the same for all centres."""
        found: NDArray[np.float32] = self._squares - 2 * (points @ self.places.T)
        return found

    def nearest(self, points: NDArray[np.float32]) -> NDArray[np.int32]:
        """The nearest centre of each point: [n]."""
        own = np.empty(len(points), np.int32)

        def some(start: int) -> None:
            own[start : start + BLOCK] = self.squared(points[start : start + BLOCK]).argmin(axis=1)

        list(in_threads(some, range(0, len(points), BLOCK)))
        return own


def _means(points: NDArray[np.float32], own: NDArray[np.int32], before: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of each cell's points; a cell without any keeps its centre."""
    counts = np.bincount(own, minlength=len(before))
    held = counts > 0
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])[held]
    sums = np.add.reduceat(points[np.argsort(own, kind="stable")], starts, axis=0, dtype=np.float64)
    places = before.copy()
    places[held] = sums / counts[held, None]
    return places
