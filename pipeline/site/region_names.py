"""What a level's cells say of classes => contiguous regions that say the same, coarse and fine, and their names.

The page lists five classes for a cell. That is too little to tell regions of a layer that speaks diffusely: among a
thousand classes, neighbours rarely list the same one. All classes together do tell them, so regions are made here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.pack import packed
from pipeline.core.threads import single_threaded_blas
from pipeline.site.level import Content, LevelCells
from pipeline.site.region_centre import visual_centre
from pipeline.site.region_merge import merges, touching

FINEST = 40  # cells a side: finer regions than this level tells are named by their cells; finer ones take gigabytes
CUTS = (6, 12, 24, 48, 96, 192)  # into how many regions the atlas is cut, coarse to fine
LEAST_CELLS = 3
ALIKE = 0.2  # mean cosine between the cells of a region; around 0.05 where cells have been shuffled
DOUBT = 0.6  # what a region of one cell would need beyond that


@dataclass(frozen=True)
class RegionNames:
    """Named regions, coarse to fine, and those of a cut in the order of their first cells.

    Attributes:
        place: [region, 2] (row, column) of the middle of the name, in cells of the level.
        cells: [region] how many belong to it.
        named: [region] the class.
        cut: [region] which of ``CUTS`` it was first found at.
    """

    place: NDArray[np.float64]
    cells: NDArray[np.int64]
    named: NDArray[np.int64]
    cut: NDArray[np.int64]


def region_names(
    size: int, cell: NDArray[np.int32] | NDArray[np.int64], count: NDArray[np.int64], attribution: NDArray[np.float32]
) -> RegionNames:
    """Cut the drawn cells into ever finer regions and name those whose cells say the same.

    Cells say by how much each class exceeds its average over the layer: a class that is strong everywhere names
    nothing. They are smoothed over their neighbours before they are grouped, but whether a region's cells are alike is
    judged without that. A region is named after the class with the largest excess over all its samples.

    Args:
        size: cells a side of the whole grid.
        cell: [cell, 2] (row, column) of the drawn cells.
        count: [cell] samples.
        attribution: [cell, class] logit.
    """
    place, weight = cell.astype(np.int64), count.astype(np.float64)
    excess = _excess(attribution.astype(np.float64), weight)
    pairs = touching(place, size)
    own = _unit(excess)
    found: list[tuple[NDArray[np.float64], int, int, int]] = []
    seen: set[bytes] = set()
    for cut, region in enumerate(_cuts(_unit(_smoothed(excess, weight, pairs)), pairs)):
        for members in _groups(region):
            name = members.tobytes()
            if name in seen or not _alike(own[members]):
                continue
            seen.add(name)
            named = int((weight[members] @ excess[members]).argmax())
            found.append((visual_centre(place[members]), len(members), named, cut))
    middles, cells, classes, at = zip(*found, strict=True) if found else ((), (), (), ())
    return RegionNames(
        np.array(middles, np.float64).reshape(-1, 2), *(np.array(values, np.int64) for values in (cells, classes, at))
    )


def names_content(level: LevelCells) -> Content:
    """The regions of a level as the page reads them."""
    drawn = level.drawn
    with single_threaded_blas():
        names = region_names(level.size, level.cell[drawn], level.count[drawn], level.attribution[drawn])
    return {
        "size": level.size,
        "place": packed(names.place),
        "cells": packed(names.cells),
        "class": packed(names.named),
        "cut": packed(names.cut),
    }


def names_level(levels: tuple[LevelCells, ...]) -> LevelCells | None:
    """The level that regions are made of: the finest one that is not too fine; None where all are."""
    return next((level for level in reversed(levels) if level.size <= FINEST), None)


def _excess(attribution: NDArray[np.float64], count: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each cell's attributions minus their average over all samples; [cell, class], logit."""
    above: NDArray[np.float64] = attribution - count @ attribution / max(count.sum(), 1.0)
    return above


def _smoothed(excess: NDArray[np.float64], count: NDArray[np.float64], pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean over the samples of each cell and of those that touch it."""
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

    Islands never grow together: where there are more of them than a cut has regions, each is one. Cuts into more
    regions than there are cells are left out, so that fewer than six cells have none.
    """
    region, left = np.arange(len(direction)), len(direction)
    found = {left: region.copy()}
    for one, other in merges(direction, pairs):
        region[region == other] = one
        left -= 1
        if left in CUTS:
            found[left] = region.copy()
    found.setdefault(left, region)
    return [found[max(cut, left)] for cut in CUTS if cut <= len(direction)]


def _groups(region: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    order = np.argsort(region, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(region[order])) + 1) if len(order) else []


def _alike(direction: NDArray[np.float64]) -> bool:
    """Whether the cells of a region say the same: the mean cosine between two of them, against what chance may do."""
    cells = len(direction)
    if cells < LEAST_CELLS:
        return False
    total = direction.sum(axis=0)
    cosine = (float(total @ total) - cells) / (cells * (cells - 1))
    return cosine >= ALIKE + DOUBT / cells
