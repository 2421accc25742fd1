"""What a distance table says about each of its queries."""

import numpy as np
from numpy.typing import NDArray


def kept(near: NDArray[np.floating], far: NDArray[np.floating], count: int) -> NDArray[np.float64]:
    """How far the ``count`` nearest candidates by one distance stay near by another (Venna and Kaski 2001).

    With ``near`` from the layout and ``far`` from the activations it is each query's trustworthiness; swapped, its
    continuity. Its mean is scikit-learn's ``trustworthiness`` where no candidate is left out and no distance is tied.

    Args:
        near: [query, candidate] distances, infinite for candidates left out.
        far: the same by the other distance; tied candidates share their best rank.
        count: k, the size of the neighbourhoods.

    Returns:
        [query]: 1 is perfect, about 0.5 is chance; NaN with fewer than 2 k candidates.
    """
    candidates = np.isfinite(near).sum(axis=1)
    if near.shape[1] <= count:
        return np.full(len(near), np.nan)
    chosen = np.argpartition(near, count - 1, axis=1)[:, :count]
    found = np.take_along_axis(far, chosen, axis=1)
    ordered = np.sort(far, axis=1)
    ranks = np.stack([np.searchsorted(row, values) for row, values in zip(ordered, found, strict=True)]) + 1
    excess = np.maximum(ranks - count, 0).sum(axis=1)
    worst = count * (2 * candidates - 3 * count + 1) / 2
    return np.where(candidates >= 2 * count, 1 - excess / np.maximum(worst, 1), np.nan)


def label_hits(
    near: NDArray[np.floating], own: NDArray[np.int64], labels: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """Share of each query's ``count`` nearest candidates that have its own label.

    Args:
        near: [query, candidate] distances, infinite for candidates left out.
        own: [query] the queries' labels.
        labels: [candidate].
        count: size of the neighbourhoods.

    Returns:
        [query]; NaN with fewer candidates than ``count``.
    """
    if near.shape[1] <= count:
        return np.full(len(near), np.nan)
    chosen = np.argpartition(near, count - 1, axis=1)[:, :count]
    share = (labels[chosen] == own[:, None]).mean(axis=1)
    return np.where(np.isfinite(near).sum(axis=1) >= count, share, np.nan)


def filled(xy: NDArray[np.float32], side: int = 20) -> float:
    """Share of the cells of a grid with ``side`` cells a side that hold a point of the layout [n, 2]."""
    cells = np.minimum((xy * side).astype(np.int64), side - 1)
    return len(np.unique(cells @ np.array([1, side]))) / side**2
