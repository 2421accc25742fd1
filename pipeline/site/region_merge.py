"""directions [cell, class] => the order in which neighbouring cells grow together, those that say the same first."""

import heapq
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

BESIDE = ((0, 1), (1, -1), (1, 0), (1, 1))  # half of the eight neighbours


def touching(cell: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Pairs of cells that touch along a side or at a corner, [pair, 2], the smaller index first.

    Args:
        cell: [cell, 2] (row, column), each once, ordered by row and then column.
        size: cells a side of the whole grid.
    """
    index = np.full((size + 2, size + 2), -1)
    index[cell[:, 0] + 1, cell[:, 1] + 1] = np.arange(len(cell))
    pairs = []
    for down, right in BESIDE:
        other = index[cell[:, 0] + 1 + down, cell[:, 1] + 1 + right]
        pairs.append(np.stack([np.arange(len(cell)), other], axis=1)[other >= 0])
    return np.concatenate(pairs)


def merges(direction: NDArray[np.float64], pairs: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Ward's method among neighbours: again and again the two whose union adds least to the sum of squares.

    Ward 1963, "Hierarchical grouping to optimize an objective function", held to pairs that touch. Equal ones are
    taken in the order of their numbers.

    Args:
        direction: [cell, class] what each cell says, of length 1.
        pairs: [pair, 2] cells that touch.

    Yields:
        The groups that become one, named after their first cell; the union bears the first name.
    """
    middle, weight = direction.copy(), np.ones(len(direction))
    beside: list[set[int]] = [set() for _ in direction]
    for one, other in pairs.tolist():
        beside[one].add(other)
        beside[other].add(one)
    version = [0] * len(direction)

    def entry(one: int, other: int) -> tuple[float, int, int, int, int]:
        one, other = min(one, other), max(one, other)
        gap = middle[one] - middle[other]
        cost = weight[one] * weight[other] / (weight[one] + weight[other]) * float(gap @ gap)
        return cost, one, other, version[one], version[other]

    heap = [entry(one, other) for one, other in pairs.tolist()]
    heapq.heapify(heap)
    while heap:
        _, one, other, *made = heapq.heappop(heap)
        if made != [version[one], version[other]]:
            continue
        yield one, other
        both = weight[one] + weight[other]
        middle[one] = (weight[one] * middle[one] + weight[other] * middle[other]) / both
        weight[one] = both
        version[one] += 1
        version[other] = -1
        beside[one] = (beside[one] | beside[other]) - {one, other}
        for neighbour in beside[one]:
            beside[neighbour] = (beside[neighbour] - {other}) | {one}
            heapq.heappush(heap, entry(one, neighbour))
