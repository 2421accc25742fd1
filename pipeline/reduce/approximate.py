"""Approximate nearest neighbours by NN-descent (Dong, Moses and Li 2011), for more points than all pairs allow."""

import numpy as np
from numpy.typing import NDArray


def approximate(points: NDArray[np.float32], count: int, seed: int) -> NDArray[np.int32]:
    """About the ``count`` nearest other rows of each of the points [n, component]: indices [n, count].

    One thread, since NN-descent's threads race.
    """
    from pipeline.reduce.umap_parts import nearest_neighbors  # noqa: PLC0415  # slow to import, and rarely needed

    chance = np.random.RandomState(seed)  # umap takes no Generator
    indices, _, _ = nearest_neighbors(points, count + 1, "euclidean", {}, False, chance, n_jobs=1)
    own = indices == np.arange(len(indices))[:, None]
    own[~own.any(axis=1), -1] = True  # where rounding pushed a row off its list, drop the farthest instead
    others: NDArray[np.int32] = indices[~own].reshape(len(indices), count).astype(np.int32)
    return others
