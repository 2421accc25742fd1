"""Second pass: how near each sample is to the mean of its cell, and what follows from that."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.cells import Level


def cosines_to_means(
    blocks: Iterable[tuple[NDArray[np.int64], NDArray[Any]]],
    levels: Sequence[Level],
    means: Sequence[NDArray[np.float32]],
    mean: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Centred cosine [level, point] between each point's activation and the mean of its cell.

    A sample or cell that equals the layer's mean has no direction; its cosine is 0. (An all-zero sample has one: it
    lies at minus the mean.)

    Args:
        blocks: (points, activations [point, channel]).
        levels: the grid levels.
        means: for each level the cells' mean activations [cell, channel].
        mean: [channel], of the whole layer.
    """
    directions = [_unit(cells - mean.astype(np.float32)) for cells in means]
    cosines = np.zeros((len(levels), len(levels[0].of_point)), np.float32)
    for points, rows in blocks:
        units = _unit(rows - mean.astype(np.float32))
        for index, level in enumerate(levels):
            cosines[index, points] = np.einsum("ij,ij->i", units, directions[index][level.of_point[points]])
    return cosines


def spread(cosines: NDArray[np.float32], level: Level) -> NDArray[np.float64]:
    """Mean of 1 - cosine over the points of each cell [cell]: 0 where all agree, 1 where they share nothing."""
    return np.bincount(level.of_point, 1 - cosines.astype(np.float64), len(level.cell)) / level.count


def exemplars(
    cosines: NDArray[np.float32],
    level: Level,
    sample: NDArray[np.int64],
    image: NDArray[np.int64],
    ranks: int,
) -> NDArray[np.int64]:
    """The samples nearest to each cell's mean, at most one of each image [cell, rank], -1 where there are no more.

    Args:
        cosines: [point] to the mean of the point's cell.
        level: the grid level.
        sample: [point] its row in activations, which is what is returned and decides ties.
        image: [point] the image it comes from.
        ranks: how many are kept.
    """
    cell = level.of_point
    best_first = np.lexsort((sample, -cosines, cell))
    # within a cell keep the first, hence best, point of every image
    _, first = np.unique(cell[best_first] * (image.max() + 1) + image[best_first], return_index=True)
    kept = best_first[np.sort(first)]
    starts = np.searchsorted(cell[kept], np.arange(len(level.cell)))
    rank = np.arange(len(kept)) - starts[cell[kept]]
    result = np.full((len(level.cell), ranks), -1, np.int64)
    within = rank < ranks
    result[cell[kept][within], rank[within]] = sample[kept][within]
    return result


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    units: NDArray[np.float32] = np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)
    return units
