"""How well a layout preserves neighborhoods: trustworthiness, continuity and label hit rates.

Some samples are queries, all others candidates. Distances come in blocks [query, candidate], the same numbers in every
pass, and are never held all at once: one pass finds neighbors, another one counts the ranks of given candidates.
Candidates of a query's own image are left out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pipeline.config.reduce import Metric
from pipeline.core.progress import progress
from pipeline.parallel.process import in_threads, single_threaded_blas
from pipeline.reduce.knn import normalize_rows
from pipeline.reduce.knn_kernels import count_nearer, pick_distances, update_neighbors_of_other_images
from pipeline.reduce.rows import Rows

QUERY_BLOCK = 640
CANDIDATE_BLOCK = 2048
NEIGHBORHOODS = (10, 50)
LABEL_NEIGHBORS = 10

BlockVisitor = Callable[[slice, int, NDArray[np.float32]], None]


@dataclass(frozen=True)
class LayoutSamples:
    """The samples whose layout is measured; row s of each array is the same sample.

    Attributes:
        activation: n rows; for cosine no row may be all zero.
        xy: [n, 2], the layout.
        image: [n]; neighbors from the same image are left out.
        label: [n], -1 where an image has none.
        groups: masks [n] by name; each group is also measured by itself.
    """

    activation: Rows
    xy: NDArray[np.float32]
    image: NDArray[np.int64]
    label: NDArray[np.int64]
    groups: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)


def measure_quality(samples: LayoutSamples, metric: Metric, queries: int, seed: int) -> Mapping[str, float | None]:
    """Measure a layout on a fixed, seeded subset of samples against their neighbors in the whole set.

    Args:
        samples: the layout and the activations it was made from.
        metric: distance between activations.
        queries: size of the subset.
        seed: of the subset.

    Returns:
        ``trustworthiness_k`` and ``continuity_k`` (1 is perfect, about 0.5 is chance) for k = 10 and 50; ``label_hits``
        and ``label_hits_activations``: share of the 10 nearest samples, in the layout and among the activations, with
        the query's own label, over queries whose label occurs in another image. For each group the first four, over
        its samples in the subset, as ``trustworthiness_k_<group>``. None where a measure is undefined.
    """
    chosen = np.sort(np.random.default_rng(seed).permutation(len(samples.xy))[:queries])
    with single_threaded_blas():
        values = _measures_by_query(samples, chosen, metric)
    found = {name: _nanmean(value) for name, value in values.items()}
    for group, members in samples.groups.items():
        for name, value in values.items():
            if not name.startswith("label"):
                found[f"{name}_{group}"] = _nanmean(value[members[chosen]])
    return found


def _measures_by_query(
    samples: LayoutSamples, chosen: NDArray[np.int64], metric: Metric
) -> dict[str, NDArray[np.float64]]:
    count = min(max(NEIGHBORHOODS), len(samples.xy) - 1)
    own_image = samples.image[chosen]
    candidates = len(samples.xy) - np.bincount(samples.image)[own_image]
    in_layout = NeighborSearch(_layout_blocks(samples.xy, chosen), samples.image, own_image)
    by_activation = NeighborSearch(_activation_blocks(samples.activation, chosen, metric), samples.image, own_image)
    layout_neighbors, _ = in_layout.nearest(count, np.empty((len(chosen), 0), np.int32))
    activation_neighbors, distances = by_activation.nearest(count, layout_neighbors)
    activation_ranks = by_activation.ranks(distances)
    _, distances = in_layout.nearest(1, activation_neighbors)
    layout_ranks = in_layout.ranks(distances)
    values = {}
    for k in NEIGHBORHOODS:
        values[f"trustworthiness_{k}"] = rank_preservation(activation_ranks, candidates, k)
        values[f"continuity_{k}"] = rank_preservation(layout_ranks, candidates, k)
    shared = _label_in_several_images(samples)[chosen]
    for name, ids in (("label_hits", layout_neighbors), ("label_hits_activations", activation_neighbors)):
        hits = label_hit_rate(ids, samples.label[chosen], samples.label, LABEL_NEIGHBORS)
        values[name] = np.where(shared, hits, np.nan)
    return values


def rank_preservation(ranks: NDArray[np.int64], candidates: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """How near the k nearest candidates by one distance are by another (Venna and Kaski 2001).

    With neighbors in the layout and their ranks among the activations it is each query's trustworthiness; the other way
    round, its continuity. Its mean is scikit-learn's ``trustworthiness`` where no candidate is left out and no distance
    is tied.

    Args:
        ranks: [query, neighbor] ranks from 1 by the other distance, the nearest neighbor first; tied candidates share
            their best rank.
        candidates: [query] number of candidates.
        k: size of the neighborhoods.

    Returns:
        [query]: 1 is perfect, about 0.5 is chance; NaN with fewer than 2 k candidates.
    """
    if ranks.shape[1] < k:
        return np.full(len(ranks), np.nan)
    excess = np.maximum(ranks[:, :k] - k, 0).sum(axis=1)
    worst = k * (2 * candidates - 3 * k + 1) / 2
    return np.where(candidates >= 2 * k, 1 - excess / np.maximum(worst, 1), np.nan)


def label_hit_rate(
    ids: NDArray[np.int32], own_label: NDArray[np.int64], labels: NDArray[np.int64], k: int
) -> NDArray[np.float64]:
    """Share of each query's k nearest candidates that have the query's label.

    Args:
        ids: [query, neighbor] candidates, nearest first; -1 where there are no more.
        own_label: [query] the queries' labels.
        labels: [candidate].
        k: size of the neighborhoods.

    Returns:
        [query]; NaN with fewer than k candidates.
    """
    if ids.shape[1] < k:
        return np.full(len(ids), np.nan)
    nearest = ids[:, :k]
    share = (labels[nearest] == own_label[:, None]).mean(axis=1)
    return np.where((nearest >= 0).all(axis=1), share, np.nan)


def occupied_share(xy: NDArray[np.float32], side: int = 20) -> float:
    """Share of the cells of a ``side`` x ``side`` grid that hold a point of the layout [n, 2]."""
    cells = np.minimum((xy * side).astype(np.int64), side - 1)
    return len(np.unique(cells @ np.array([1, side]))) / side**2


@dataclass(frozen=True)
class NeighborSearch:
    """A search by one of the two distances: in the layout or between activations.

    Attributes:
        visit_blocks: makes one pass: calls a visitor with a slice of queries, the index of the first of some
            candidates, and the distances [query, candidate] between them; the distances of one query may all be off by
            the same number.
        image: [candidate].
        own_image: [query] the queries' images.
    """

    visit_blocks: Callable[[BlockVisitor], None]
    image: NDArray[np.int64]
    own_image: NDArray[np.int64]

    def nearest(self, k: int, given: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The neighbors of each query, and the distances of given candidates.

        Args:
            k: number of neighbors.
            given: [query, given] candidates; -1 for none.

        Returns:
            The nearest candidates [query, k], nearest first, -1 where there are no more; and the distances
            [query, given], infinite for -1.
        """
        ids = np.full((len(self.own_image), k), -1, np.int32)
        distances = np.full((len(self.own_image), k), np.inf, np.float32)
        given_distances = np.full(given.shape, np.inf, np.float32)

        def visit(queries: slice, first: int, block: NDArray[np.float32]) -> None:
            own_image = self.own_image[queries]
            update_neighbors_of_other_images(block, first, self.image, own_image, ids[queries], distances[queries])
            pick_distances(block, first, given[queries], given_distances[queries])

        self.visit_blocks(visit)
        return ids, given_distances

    def ranks(self, distances: NDArray[np.float32]) -> NDArray[np.int64]:
        """Ranks [query, given] from 1 of candidates with given distances: 1 + the number of nearer candidates."""
        order = np.argsort(distances, axis=1, kind="stable")
        ascending = np.take_along_axis(distances, order, axis=1)
        counts = np.zeros(distances.shape, np.int64)

        def visit(queries: slice, first: int, block: NDArray[np.float32]) -> None:
            count_nearer(block, first, self.image, self.own_image[queries], ascending[queries], counts[queries])

        self.visit_blocks(visit)
        # a candidate was counted at the first threshold above its distance, so it is nearer than all later ones
        ranks = np.empty_like(counts)
        np.put_along_axis(ranks, order, counts.cumsum(axis=1) + 1, axis=1)
        return ranks


def _layout_blocks(xy: NDArray[np.float32], chosen: NDArray[np.int64]) -> Callable[[BlockVisitor], None]:
    """Squared distances in the layout."""

    def visit_blocks(visit: BlockVisitor) -> None:
        def rows(start: int) -> None:
            queries = slice(start, start + QUERY_BLOCK)
            points = xy[chosen[queries]]
            for first in range(0, len(xy), CANDIDATE_BLOCK):
                candidates = xy[first : first + CANDIDATE_BLOCK]
                x, y = (points[:, axis, None] - candidates[:, axis] for axis in (0, 1))
                visit(queries, first, x * x + y * y)

        list(in_threads(rows, range(0, len(chosen), QUERY_BLOCK)))

    return visit_blocks


def _activation_blocks(rows: Rows, chosen: NDArray[np.int64], metric: Metric) -> Callable[[BlockVisitor], None]:
    """Squared distances of the metric minus the query's squared norm; each pass reads the activations once."""
    queries = normalize_rows(rows.take(chosen).to_array(), metric)
    # keeps float32 precise where the mean is far from zero
    shift = queries.mean(axis=0) if metric == "euclidean" else np.zeros_like(queries[0])
    queries -= shift
    extended = np.concatenate([-2 * queries, np.ones_like(queries[:, :1])], axis=1)

    def visit_blocks(visit: BlockVisitor) -> None:
        with progress("quality", len(rows), "sample") as bar:
            for start, block in rows.blocks():
                candidates = normalize_rows(block, metric) - shift
                table = np.concatenate([candidates, (candidates**2).sum(axis=1, keepdims=True)], axis=1).T
                visit_queries = partial(_visit_table, extended, table, start, visit)
                list(in_threads(visit_queries, range(0, len(extended), QUERY_BLOCK)))
                bar.update(len(block))

    return visit_blocks


def _visit_table(
    extended: NDArray[np.float32], table: NDArray[np.float32], start: int, visit: BlockVisitor, query: int
) -> None:
    queries = slice(query, query + QUERY_BLOCK)
    for first in range(0, table.shape[1], CANDIDATE_BLOCK):
        visit(queries, start + first, extended[queries] @ table[:, first : first + CANDIDATE_BLOCK])


def _label_in_several_images(samples: LayoutSamples) -> NDArray[np.bool_]:
    """Which samples have a label that more than one image has: the others cannot have hits."""
    pairs = np.unique(np.stack([samples.label, samples.image], axis=1), axis=0)
    labels, images = np.unique(pairs[:, 0], return_counts=True)
    several = labels[(images > 1) & (labels >= 0)]
    return np.isin(samples.label, several)


def _nanmean(values: NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
