"""Which known activation a new one is most like."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

CLOSEST = 4  # looked at again where rounding may order equally near ones either way
ROUNDING = 1e-5  # of squared distances, as a share of the squared length


def nearest(
    new: NDArray[np.float32], known: NDArray[np.float32], metric: Literal["cosine", "euclidean"]
) -> NDArray[np.int64]:
    """The row of ``known`` that each new activation is nearest to [new], -1 where nothing is.

    An activation that is known finds itself: among equally near ones the smallest sum of differences decides.
    Under cosine an all-zero activation has no direction; it is nearest to an all-zero one, or to nothing.

    Args:
        new: [new, channel].
        known: [known, channel].
        metric: of the layout.
    """
    found = np.full(len(new), -1)
    given, there = np.arange(len(new)), np.arange(len(known))
    if metric == "cosine":
        zeros = np.flatnonzero(~known.any(axis=1))
        found[~new.any(axis=1)] = zeros[0] if len(zeros) else -1
        given, there = np.flatnonzero(new.any(axis=1)), np.flatnonzero(known.any(axis=1))
    if not len(given) or not len(there):
        return found
    search = NearestNeighbors(n_neighbors=min(CLOSEST, len(there)), algorithm="brute")
    search.fit(_comparable(known[there], metric))
    queries = _comparable(new[given], metric)
    distance, near = search.kneighbors(queries)
    near = there[near]
    apart = np.stack([np.abs(new[given] - known[column]).sum(axis=1, dtype=np.float64) for column in near.T], axis=1)
    slack = ROUNDING * (queries.astype(np.float64) ** 2).sum(axis=1, keepdims=True)
    apart[distance**2 > distance[:, :1] ** 2 + slack] = np.inf
    found[given] = near[np.arange(len(given)), apart.argmin(axis=1)]
    return found


def _comparable(rows: NDArray[np.float32], metric: str) -> NDArray[np.float32]:
    """Rows whose Euclidean distances are ordered as ``metric`` orders them: of length 1 for cosine."""
    if metric == "euclidean":
        return rows
    scaled = rows / np.abs(rows).max(axis=1, keepdims=True)  # keeps the squares of very small and large rows finite
    unit: NDArray[np.float32] = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    return unit
