"""Neighbours of some queries among very many candidates, and ranks of given candidates, in two passes.

Distances come table by table, [query, candidate], the same numbers in every pass, and are never held all at once.
Candidates of a query's own image do not count.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.compiled import compiled
from pipeline.reduce.nearest import keep_of_other_images

Visit = Callable[[slice, int, NDArray[np.float32]], None]


@dataclass(frozen=True)
class Search:
    """A search by one of the two distances.

    Attributes:
        tables: makes a pass: calls a function with some queries, the number of the first of some candidates, and the
            distances [query, candidate] between them; those of one query may all be off by the same number.
        image: [candidate].
        own: [query] the queries' images.
    """

    tables: Callable[[Visit], None]
    image: NDArray[np.int64]
    own: NDArray[np.int64]

    def nearest(self, count: int, asked: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Neighbours of each query, and how far away some given candidates are.

        Args:
            count: of neighbours.
            asked: [query, asked] candidates; -1 for none.

        Returns:
            The nearest candidates [query, count], nearest first, -1 where there are no more; and the distances
            [query, asked], infinite for -1.
        """
        best = np.full((len(self.own), count), -1, np.int32)
        far = np.full((len(self.own), count), np.inf, np.float32)
        known = np.full(asked.shape, np.inf, np.float32)

        def visit(queries: slice, first: int, distances: NDArray[np.float32]) -> None:
            keep_of_other_images(distances, first, self.image, self.own[queries], best[queries], far[queries])
            _pick(distances, first, asked[queries], known[queries])

        self.tables(visit)
        return best, known

    def ranks(self, known: NDArray[np.float32]) -> NDArray[np.int64]:
        """Ranks from 1 of candidates with given distances [query, asked]: one more than candidates that are nearer."""
        order = np.argsort(known, axis=1, kind="stable")
        ascending = np.take_along_axis(known, order, axis=1)
        counts = np.zeros(known.shape, np.int64)

        def visit(queries: slice, first: int, distances: NDArray[np.float32]) -> None:
            _count(distances, first, self.image, self.own[queries], ascending[queries], counts[queries])

        self.tables(visit)
        # a candidate was counted at the first distance above its own, so it is nearer than all from there on
        ranks = np.empty_like(counts)
        np.put_along_axis(ranks, order, counts.cumsum(axis=1) + 1, axis=1)
        return ranks


@compiled
def _pick(distances: NDArray[np.float32], first: int, asked: NDArray[np.int32], known: NDArray[np.float32]) -> None:
    for query in range(distances.shape[0]):
        for place in range(asked.shape[1]):
            column = asked[query, place] - first
            if 0 <= column < distances.shape[1]:
                known[query, place] = distances[query, column]


@compiled
def _count(
    distances: NDArray[np.float32],
    first: int,
    image: NDArray[np.int64],
    own: NDArray[np.int64],
    ascending: NDArray[np.float32],
    counts: NDArray[np.int64],
) -> None:
    """Count each nearer candidate at the first of the distances that are larger than its own."""
    last = ascending.shape[1] - 1
    for query in range(distances.shape[0]):
        line = ascending[query]
        farthest = line[last]
        for column in range(distances.shape[1]):
            value = distances[query, column]
            if value < farthest and image[first + column] != own[query]:
                low, high = 0, last
                while low < high:
                    middle = (low + high) // 2
                    if line[middle] > value:
                        high = middle
                    else:
                        low = middle + 1
                counts[query, low] += 1
