"""Regions of the map: contiguous cells with similar attributions, coarse and fine, each labeled with a class.

The page lists five classes for a cell. That is too little to find regions of a layer whose attributions are diffuse:
among a thousand classes, adjacent cells rarely list the same one. All classes together suffice, so regions are made
here.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.site.cell_data import RANKS
from pipeline.site.read_artifacts import AtlasLevel

FINEST = 40  # cells per side; at finer levels the page labels cells, since grouping those takes gigabytes
CUTS = (6, 12, 24, 48, 96, 192)  # numbers of regions that the atlas is cut into, coarse to fine
MIN_CELLS = 3
MIN_COSINE = 0.2  # mean cosine between the cells of a region; around 0.05 where cells have been shuffled
SMALL_REGION_PENALTY = 0.6  # what a region of one cell would need beyond that
CENTRAL = 0.7  # of the greatest depth
ADJACENT = ((0, 1), (1, -1), (1, 0), (1, 1))  # half of the eight adjacent cells


@dataclass(frozen=True)
class Regions:
    """Regions with their labels, coarse to fine, and those of a cut in the order of their first cells.

    Attributes:
        label_position: [region, 2] (row, column) of the middle of the label, in cells of the level.
        cells: [region] number of cells.
        top: [region, rank] the classes of largest excess, largest first; the first labels the region, if it can be told
            from the others.
        excess: [region, rank] how much their mean attribution in the region exceeds the average, logit.
        cut: [region] index into ``CUTS`` of the cut at which it was first found; those of one cut do not overlap.
        members: [region] indices of the drawn cells of each.
        average: [class] mean attribution over all samples, which excesses exceed.
    """

    label_position: NDArray[np.float64]
    cells: NDArray[np.int64]
    top: NDArray[np.int64]
    excess: NDArray[np.float64]
    cut: NDArray[np.int64]
    members: tuple[NDArray[np.int64], ...]
    average: NDArray[np.float64]

    @property
    def class_(self) -> NDArray[np.int64]:
        """[region] the class of largest excess."""
        return self.top[:, 0]

    def of_cell(self, cut: int, cells: int) -> NDArray[np.int64]:
        """[cell] the region of one cut that each drawn cell lies in, -1 for none."""
        found = np.full(cells, -1)
        for region in np.flatnonzero(self.cut == cut):
            found[self.members[region]] = region
        return found


def regions_level(levels: Sequence[AtlasLevel]) -> AtlasLevel | None:
    """The level that regions are made of: the finest one up to ``FINEST``; None where all are finer."""
    return next((level for level in reversed(levels) if level.size <= FINEST), None)


def find_regions(
    size: int, cell: NDArray[np.int32] | NDArray[np.int64], count: NDArray[np.int64], attribution: NDArray[np.float32]
) -> Regions:
    """Cut the drawn cells into ever finer regions and label those whose cells have similar attributions.

    Cells are compared by how much each class exceeds its average over the layer, so that a class that is strong
    everywhere labels nothing. They are smoothed over adjacent cells before they are grouped; whether a region's cells
    are similar is tested without smoothing. A region is labeled with the class of largest excess over all its samples.

    Args:
        size: cells per side of the whole grid.
        cell: [cell, 2] (row, column) of the drawn cells.
        count: [cell] samples.
        attribution: [cell, class] logit.
    """
    row_column, weight = cell.astype(np.int64), count.astype(np.float64)
    average = weight @ attribution.astype(np.float64) / max(weight.sum(), 1.0)
    excess = attribution - average
    pairs = adjacent_pairs(row_column, size)
    own = _unit(excess)
    found: list[tuple[NDArray[np.float64], int, NDArray[np.int64], NDArray[np.float64], int, NDArray[np.int64]]] = []
    seen: set[bytes] = set()
    for cut, region in enumerate(_cuts(_unit(_smooth(excess, weight, pairs)), pairs)):
        for members in _groups(region):
            name = members.tobytes()
            if name in seen or not _is_similar(own[members]):
                continue
            seen.add(name)
            mean = weight[members] @ excess[members] / weight[members].sum()
            top = np.argsort(-mean, kind="stable")[:RANKS]
            found.append((label_position(row_column[members]), len(members), top, mean[top], cut, members))
    positions, cells, tops, means, cuts, regions = zip(*found, strict=True) if found else ((), (), (), (), (), ())
    return Regions(
        label_position=np.array(positions, np.float64).reshape(-1, 2),
        cells=np.array(cells, np.int64),
        top=np.array(tops, np.int64).reshape(-1, min(RANKS, attribution.shape[1])),
        excess=np.array(means, np.float64).reshape(-1, min(RANKS, attribution.shape[1])),
        cut=np.array(cuts, np.int64),
        members=tuple(regions),
        average=average,
    )


def adjacent_pairs(cell: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Pairs of cells that touch along a side or at a corner, [pair, 2], the smaller index first.

    Args:
        cell: [cell, 2] (row, column), each once, ordered by row and then column.
        size: cells per side of the whole grid.
    """
    index = np.full((size + 2, size + 2), -1)
    index[cell[:, 0] + 1, cell[:, 1] + 1] = np.arange(len(cell))
    pairs = []
    for down, right in ADJACENT:
        other = index[cell[:, 0] + 1 + down, cell[:, 1] + 1 + right]
        pairs.append(np.stack([np.arange(len(cell)), other], axis=1)[other >= 0])
    return np.concatenate(pairs)


def ward_merges(direction: NDArray[np.float64], pairs: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Ward's method restricted to adjacent cells: repeatedly merge the two groups that add least to the sum of squares.

    Ward 1963, "Hierarchical grouping to optimize an objective function". Ties are broken by the groups' numbers.

    Args:
        direction: [cell, class] of length 1.
        pairs: [pair, 2] cells that touch.

    Yields:
        The two groups that are merged, named after their first cell; the union keeps the first name.
    """
    mean, weight = direction.copy(), np.ones(len(direction))
    adjacent: list[set[int]] = [set() for _ in direction]
    for one, other in pairs.tolist():
        adjacent[one].add(other)
        adjacent[other].add(one)
    version = [0] * len(direction)

    def entry(one: int, other: int) -> tuple[float, int, int, int, int]:
        one, other = min(one, other), max(one, other)
        gap = mean[one] - mean[other]
        cost = weight[one] * weight[other] / (weight[one] + weight[other]) * float(gap @ gap)
        return cost, one, other, version[one], version[other]

    heap = [entry(one, other) for one, other in pairs.tolist()]
    heapq.heapify(heap)
    while heap:
        _, one, other, *versions = heapq.heappop(heap)
        if versions != [version[one], version[other]]:
            continue
        yield one, other
        both = weight[one] + weight[other]
        mean[one] = (weight[one] * mean[one] + weight[other] * mean[other]) / both
        weight[one] = both
        version[one] += 1
        version[other] = -1
        adjacent[one] = (adjacent[one] | adjacent[other]) - {one, other}
        for neighbor in adjacent[one]:
            adjacent[neighbor] = (adjacent[neighbor] - {other}) | {one}
            heapq.heappush(heap, entry(one, neighbor))


def label_position(cell: NDArray[np.int64]) -> NDArray[np.float64]:
    """The (row, column) of a region's label: its centroid if that is well inside, else the nearest deepest cell.

    In units of cells: the center of the cell (0, 0) is at (0.5, 0.5).

    Args:
        cell: [cell, 2] (row, column) of the region's cells, each once.
    """
    first = cell.min(axis=0)
    inside = np.zeros(cell.max(axis=0) - first + 3, bool)  # with a margin outside
    inside[tuple((cell - first + 1).T)] = True
    depth = _depth(inside)
    centroid: NDArray[np.float64] = cell.mean(axis=0)
    near = np.rint(centroid - first).astype(np.int64) + 1
    if depth[tuple(near)] >= CENTRAL * depth.max():
        centroid += 0.5
        return centroid
    deepest = np.argwhere(depth == depth.max()) + first - 1
    distance = ((deepest - centroid) ** 2).sum(axis=1)
    nearest: NDArray[np.float64] = deepest[distance.argmin()] + 0.5
    return nearest


def _depth(inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number of steps along sides that lead out of the region, 0 outside of it."""
    depth = np.zeros(inside.shape, np.int64)
    left = inside
    while left.any():
        depth += left
        core = left.copy()
        core[1:] &= left[:-1]
        core[:-1] &= left[1:]
        core[:, 1:] &= left[:, :-1]
        core[:, :-1] &= left[:, 1:]
        left = core
    return depth


def _smooth(excess: NDArray[np.float64], count: NDArray[np.float64], pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean over the samples of each cell and of the cells that touch it."""
    sums = excess * count[:, None]
    around, total = sums.copy(), count.copy()
    for to, of in (pairs.T, pairs.T[::-1]):
        np.add.at(around, to, sums[of])
        np.add.at(total, to, count[of])
    mean: NDArray[np.float64] = around / total[:, None]
    return mean


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(values, axis=1, keepdims=True)
    unit: NDArray[np.float64] = np.divide(values, length, out=np.zeros_like(values), where=length > 0)
    return unit


def _cuts(direction: NDArray[np.float64], pairs: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """For each of ``CUTS`` the region of every cell, named after its first cell; [cell].

    Islands are never merged: where there are more of them than a cut has regions, each is one. Cuts into more regions
    than there are cells are left out, so that fewer than six cells have none.
    """
    region, left = np.arange(len(direction)), len(direction)
    found = {left: region.copy()}
    for one, other in ward_merges(direction, pairs):
        region[region == other] = one
        left -= 1
        if left in CUTS:
            found[left] = region.copy()
    found.setdefault(left, region)
    return [found[max(cut, left)] for cut in CUTS if cut <= len(direction)]


def _groups(region: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    order = np.argsort(region, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(region[order])) + 1) if len(order) else []


def _is_similar(direction: NDArray[np.float64]) -> bool:
    """Whether the mean cosine between the cells of a region exceeds what chance explains for its size."""
    cells = len(direction)
    if cells < MIN_CELLS:
        return False
    total = direction.sum(axis=0)
    cosine = (float(total @ total) - cells) / (cells * (cells - 1))
    return cosine >= MIN_COSINE + SMALL_REGION_PENALTY / cells
