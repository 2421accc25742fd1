"""How well a layout keeps neighbourhoods: trustworthiness, continuity and neighbourhood hits of labels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pipeline.config.reduce import Metric
from pipeline.core.progress import progress
from pipeline.core.steady import steady
from pipeline.parallel.process import in_threads
from pipeline.reduce.measures import kept, label_hits
from pipeline.reduce.ranks import Search, Visit
from pipeline.reduce.rows import Rows
from pipeline.reduce.space import prepared

QUERIES = 640  # queries and candidates in one table of distances
CANDIDATES = 2048
NEIGHBOURHOODS = (10, 50)
HIT_NEIGHBOURS = 10


@dataclass(frozen=True)
class Points:
    """What quality is measured on; row s of each is the same sample.

    Attributes:
        activation: n rows; for cosine none of them all zero.
        xy: [n, 2], the layout.
        image: [n], neighbours from the same image are left out.
        label: [n], -1 where an image has none.
        groups: names of kinds of points, with which points they are, [n]; told apart in the result.
    """

    activation: Rows
    xy: NDArray[np.float32]
    image: NDArray[np.int64]
    label: NDArray[np.int64]
    groups: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)


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
        have the query's own label, for queries whose label another image has too. For each group the first four, of
        its points among the subset, as ``trustworthiness_k_<group>``. None where nothing can be measured.
    """
    chosen = np.sort(np.random.default_rng(seed).permutation(len(points.xy))[:queries])
    with steady():
        values = _measured(points, chosen, metric)
    found = {name: _mean(value) for name, value in values.items()}
    for group, members in points.groups.items():
        for name, value in values.items():
            if not name.startswith("label"):
                found[f"{name}_{group}"] = _mean(value[members[chosen]])
    return found


def _measured(points: Points, chosen: NDArray[np.int64], metric: Metric) -> dict[str, NDArray[np.float64]]:
    """Each measure of each chosen point."""
    count = min(max(NEIGHBOURHOODS), len(points.xy) - 1)
    own = points.image[chosen]
    candidates = len(points.xy) - np.bincount(points.image)[own]
    in_layout = Search(_layout_tables(points.xy, chosen), points.image, own)
    by_activation = Search(_activation_tables(points.activation, chosen, metric), points.image, own)
    near, _ = in_layout.nearest(count, np.empty((len(chosen), 0), np.int32))
    far, known = by_activation.nearest(count, near)
    trust = by_activation.ranks(known)
    _, known = in_layout.nearest(1, far)
    hold = in_layout.ranks(known)
    values = {}
    for k in NEIGHBOURHOODS:
        values[f"trustworthiness_{k}"] = kept(trust, candidates, k)
        values[f"continuity_{k}"] = kept(hold, candidates, k)
    shared = _label_shared(points)[chosen]
    for name, found in (("label_hits", near), ("label_hits_activations", far)):
        hits = label_hits(found, points.label[chosen], points.label, HIT_NEIGHBOURS)
        values[name] = np.where(shared, hits, np.nan)
    return values


def _layout_tables(xy: NDArray[np.float32], chosen: NDArray[np.int64]) -> Callable[[Visit], None]:
    """Squared distances in the layout."""

    def tables(visit: Visit) -> None:
        def rows(start: int) -> None:
            queries = slice(start, start + QUERIES)
            asked = xy[chosen[queries]]
            for first in range(0, len(xy), CANDIDATES):
                some = xy[first : first + CANDIDATES]
                x, y = (asked[:, axis, None] - some[:, axis] for axis in (0, 1))
                visit(queries, first, x * x + y * y)

        list(in_threads(rows, range(0, len(chosen), QUERIES)))

    return tables


def _activation_tables(rows: Rows, chosen: NDArray[np.int64], metric: Metric) -> Callable[[Visit], None]:
    """Squared distances of the metric, less the squared length of the query; each block of rows is read once a pass."""
    queries = prepared(rows.at(chosen).whole(), metric)
    # keeps float32 precise where the mean is far from zero
    shift = queries.mean(axis=0) if metric == "euclidean" else np.zeros_like(queries[0])
    queries -= shift
    asked = np.concatenate([-2 * queries, np.ones_like(queries[:, :1])], axis=1)

    def tables(visit: Visit) -> None:
        with progress("quality", len(rows), "sample") as bar:
            for start, block in rows.blocks():
                some = prepared(block, metric) - shift
                table = np.concatenate([some, (some**2).sum(axis=1, keepdims=True)], axis=1).T
                list(in_threads(partial(_visit_block, asked, table, start, visit), range(0, len(asked), QUERIES)))
                bar.update(len(block))

    return tables


def _visit_block(asked: NDArray[np.float32], table: NDArray[np.float32], start: int, visit: Visit, query: int) -> None:
    queries = slice(query, query + QUERIES)
    for first in range(0, table.shape[1], CANDIDATES):
        visit(queries, start + first, asked[queries] @ table[:, first : first + CANDIDATES])


def _label_shared(points: Points) -> NDArray[np.bool_]:
    """Which points have a label that more than one image has: only those can hit."""
    pairs = np.unique(np.stack([points.label, points.image], axis=1), axis=0)
    labels, images = np.unique(pairs[:, 0], return_counts=True)
    several = labels[(images > 1) & (labels >= 0)]
    return np.isin(points.label, several)


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
