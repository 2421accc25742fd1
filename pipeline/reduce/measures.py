"""What is said about each query once its neighbours and their ranks are known."""

import numpy as np
from numpy.typing import NDArray


def kept(ranks: NDArray[np.int64], candidates: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """How far the ``count`` nearest candidates by one distance stay near by another (Venna and Kaski 2001).

    With neighbours in the layout and their ranks among the activations it is each query's trustworthiness; the other
    way round, its continuity. Its mean is scikit-learn's ``trustworthiness`` where no candidate is left out and no
    distance is tied.

    Args:
        ranks: [query, neighbour] ranks from 1 by the other distance, the nearest neighbour first; tied candidates
            share their best rank.
        candidates: [query] how many candidates there are.
        count: k, the size of the neighbourhoods.

    Returns:
        [query]: 1 is perfect, about 0.5 is chance; NaN with fewer than 2 k candidates.
    """
    if ranks.shape[1] < count:
        return np.full(len(ranks), np.nan)
    excess = np.maximum(ranks[:, :count] - count, 0).sum(axis=1)
    worst = count * (2 * candidates - 3 * count + 1) / 2
    return np.where(candidates >= 2 * count, 1 - excess / np.maximum(worst, 1), np.nan)


def label_hits(
    near: NDArray[np.int32], own: NDArray[np.int64], labels: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """Share of each query's ``count`` nearest candidates that have its own label.

    Args:
        near: [query, neighbour] candidates, nearest first; -1 where there are no more.
        own: [query] the queries' labels.
        labels: [candidate].
        count: size of the neighbourhoods.

    Returns:
        [query]; NaN with fewer candidates than ``count``.
    """
    if near.shape[1] < count:
        return np.full(len(near), np.nan)
    chosen = near[:, :count]
    share = (labels[chosen] == own[:, None]).mean(axis=1)
    return np.where((chosen >= 0).all(axis=1), share, np.nan)


def filled(xy: NDArray[np.float32], side: int = 20) -> float:
    """Share of the cells of a grid with ``side`` cells a side that hold a point of the layout [n, 2]."""
    cells = np.minimum((xy * side).astype(np.int64), side - 1)
    return len(np.unique(cells @ np.array([1, side]))) / side**2
