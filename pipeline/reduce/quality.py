"""How well a layout keeps neighbourhoods: trustworthiness, continuity and neighbourhood hits of labels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.reduce.measures import kept, label_hits
from pipeline.reduce.neighbours import Metric, prepared

Real = TypeVar("Real", np.float32, np.float64)

BLOCK_BYTES = 2**26
NEIGHBOURHOODS = (10, 50)
HIT_NEIGHBOURS = 10


@dataclass(frozen=True)
class Points:
    """What quality is measured on; row s of each array is the same sample.

    Attributes:
        activation: [n, channel]; for cosine none of them all zero.
        xy: [n, 2], the layout.
        image: [n], neighbours from the same image are left out.
        label: [n], -1 where an image has none.
    """

    activation: NDArray[np.float32]
    xy: NDArray[np.float32]
    image: NDArray[np.int64]
    label: NDArray[np.int64]


def quality(points: Points, metric: Metric, queries: int, seed: int) -> Mapping[str, float | None]:
    """Measure a layout on a fixed, seeded subset of points against their neighbours in the whole set.

    Args:
        points: the layout and what it was made from.
        metric: distance between activations.
        queries: how many points the subset holds.
        seed: of the subset.

    Returns:
        ``trustworthiness_k`` and ``continuity_k`` (1 is perfect, about 0.5 is chance) for k = 10 and 50; ``label_hits``
        and ``label_hits_activations``: share of the 10 nearest points, in the layout and among the activations, that
        have the query's own label, for queries whose label another image has too. None where nothing can be measured.
    """
    shared = _label_shared(points)
    values: dict[str, list[NDArray[np.float64]]] = {}
    for rows, low, high in _distance_blocks(points, metric, queries, seed):
        for k in NEIGHBOURHOODS:
            values.setdefault(f"trustworthiness_{k}", []).append(kept(low, high, k))
            values.setdefault(f"continuity_{k}", []).append(kept(high, low, k))
        own, among = points.label[rows], shared[rows]
        for name, near in (("label_hits", low), ("label_hits_activations", high)):
            hits = label_hits(near, own, points.label, HIT_NEIGHBOURS)
            values.setdefault(name, []).append(np.where(among, hits, np.nan))
    return {name: _mean(np.concatenate(parts)) for name, parts in values.items()}


def _distance_blocks(
    points: Points, metric: Metric, queries: int, seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float32]]]:
    """Rows of some queries, with their squared distances [query, n] in the layout and among the activations.

    Points of the query's own image are infinitely far.
    """
    chosen = np.sort(np.random.default_rng(seed).permutation(len(points.xy))[:queries])
    high = prepared(points.activation, metric)
    if metric == "euclidean":
        high = high - high.mean(axis=0)  # keeps float32 precise where the mean is far from zero
    low = points.xy.astype(np.float64)
    step = max(1, BLOCK_BYTES // (8 * len(low)))
    for start in range(0, len(chosen), step):
        rows = chosen[start : start + step]
        same = points.image[rows][:, None] == points.image
        near, far = _squared_distances(low[rows], low), _squared_distances(high[rows], high)
        near[same] = np.inf
        far[same] = np.inf
        yield rows, near, far


def _squared_distances(some: NDArray[Real], others: NDArray[Real]) -> NDArray[Real]:
    """Squared Euclidean distances [some, others], up to rounding."""
    products: NDArray[Real] = some @ others.T
    products *= -2
    products += (some**2).sum(axis=1)[:, None]
    products += (others**2).sum(axis=1)
    return products


def _label_shared(points: Points) -> NDArray[np.bool_]:
    """Which points have a label that more than one image has: only those can hit."""
    pairs = np.unique(np.stack([points.label, points.image], axis=1), axis=0)
    labels, images = np.unique(pairs[:, 0], return_counts=True)
    several = labels[(images > 1) & (labels >= 0)]
    return np.isin(points.label, several)


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
