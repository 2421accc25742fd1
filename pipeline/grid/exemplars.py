"""Second pass: each cell's exemplars, the samples nearest to its mean from different images, and its spread.

Both follow from the centered cosine between each sample and the means of its cells.
"""

import numpy as np
import torch
from numba import float32, int64, types
from numpy.typing import NDArray

from pipeline.core.numba_jit import eager_jit
from pipeline.grid.cell_assignment import nested_order
from pipeline.grid.sums import take_rows

TILE = 2048  # samples per tile, so that they stay in the processor's cache
SIGN = np.uint32(1 << 31)
OVERSAMPLING = 2  # this many times the samples that are kept are tried first; few cells need more


def cosines_to_means(
    rows: NDArray[np.floating],
    label: NDArray[np.integer],
    ancestors: NDArray[np.int64],
    directions: NDArray[np.float32],
    mean: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Centered cosine [level, sample] between each sample's activation and the mean of its cell, at every level.

    Samples are sorted so that those of a cell are consecutive at every level, and the cell's mean is still in the
    processor's cache when its next sample is compared.

    A sample or cell that equals the layer's mean has no direction; its cosine is 0. (An all-zero sample has one: minus
    the mean.) The cosine of samples that are not in the atlas is 0 too.

    Args:
        rows: activations [sample, channel], of any number type.
        label: [sample] the finest cell; those beyond the last cell are not in the atlas.
        ancestors: [level, finest cell] the cell of each level that a finest cell lies in.
        directions: centered mean activations of length 1 [cell, channel], of the cells of all levels one after the
            other.
        mean: [channel], of the whole layer.
    """
    rank = np.append(nested_order(ancestors), np.int32(ancestors.shape[1]))
    ranks = rank[label]
    order = np.argsort(ranks, kind="stable")[: np.count_nonzero(ranks < ancestors.shape[1])]
    starts = np.cumsum([0, *(ancestors.max(axis=1) + 1)[:-1]])
    cells = (ancestors + starts[:, None])[:, label[order]]
    cosines = np.zeros((len(ancestors), len(rows)), np.float32)
    buffer = torch.empty(TILE, rows.shape[1])
    for start in range(0, len(order), TILE):
        chosen = order[start : start + TILE]
        tile = take_rows(rows, chosen, buffer).numpy()
        cosines[:, chosen] = _cosines(tile, mean, cells[:, start : start + TILE], directions)
    return cosines


READ_ONLY = types.Array(float32, 2, "C", readonly=True)


@eager_jit(float32[:, ::1], float32[::1], int64[:, :], READ_ONLY)
def _cosines(
    rows: NDArray[np.float32], mean: NDArray[np.float32], cells: NDArray[np.int64], directions: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Cosines [level, row] of rows [row, channel], which are centered in place, to the directions of their cells."""
    channels = rows.shape[1]
    cosines = np.zeros(cells.shape, np.float32)
    for number in range(rows.shape[0]):
        row, square = rows[number], np.float32(0)
        for channel in range(channels):
            row[channel] -= mean[channel]
            square += row[channel] * row[channel]
        if square <= 0:
            continue
        for level in range(cells.shape[0]):
            direction, product = directions[cells[level, number]], np.float32(0)
            for channel in range(channels):
                product += row[channel] * direction[channel]
            cosines[level, number] = product / np.sqrt(square)
    return cosines


def spread(cosines: NDArray[np.float32], cell: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean of 1 - cosine over the samples of each cell [cell]; 0: one direction, 1: orthogonal on average."""
    return np.bincount(cell, 1 - cosines.astype(np.float64), len(count)) / count


def exemplars(
    cosines: NDArray[np.float32],
    cell: NDArray[np.int64],
    sample: NDArray[np.int64],
    image: NDArray[np.int64],
    cells: int,
    ranks: int,
) -> NDArray[np.int64]:
    """The samples nearest to each cell's mean, at most one of each image: [cell, rank], -1 where there are no more.

    Args:
        cosines: [sample] to the mean of the sample's cell.
        cell: [sample].
        sample: [sample] its row in activations, ascending; these are returned. Of equal cosines the first is taken.
        image: [sample] the image it comes from.
        cells: number of cells.
        ranks: exemplars of a cell.
    """
    best_first = np.argsort((cell.astype(np.uint64) << np.uint64(32)) | _descending_key(cosines), kind="stable")
    ordered = cell[best_first]
    starts = np.searchsorted(ordered, np.arange(cells + 1))
    tried = np.arange(len(ordered)) - starts[ordered] < OVERSAMPLING * ranks
    result = _distinct(best_first[tried], cell, sample, image, cells, ranks)
    short = (result[:, -1] < 0) & (np.diff(starts) > OVERSAMPLING * ranks)
    if short.any():
        again = short[ordered]
        result[short] = _distinct(best_first[again], cell, sample, image, cells, ranks)[short]
    return result


def _distinct(
    best_first: NDArray[np.int64],
    cell: NDArray[np.int64],
    sample: NDArray[np.int64],
    image: NDArray[np.int64],
    cells: int,
    ranks: int,
) -> NDArray[np.int64]:
    """The first sample of each image; samples are sorted by cell and then from best to worst."""
    # within a cell keep the first, hence best, of every image
    _, first = np.unique(cell[best_first] * (image.max(initial=0) + 1) + image[best_first], return_index=True)
    kept = best_first[np.sort(first)]
    starts = np.searchsorted(cell[kept], np.arange(cells))
    rank = np.arange(len(kept)) - starts[cell[kept]]
    result = np.full((cells, ranks), -1, np.int64)
    within = rank < ranks
    result[cell[kept][within], rank[within]] = sample[kept][within]
    return result


def _descending_key(values: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Integers whose ascending order is the descending order of ``values``: the bits of floats, corrected for sign."""
    bits = (values + np.float32(0)).view(np.uint32)  # + 0: the two zeros are equal
    ascending = np.where(bits & SIGN, ~bits, bits | SIGN)
    return (~ascending).astype(np.uint64)
