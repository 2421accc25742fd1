"""Exemplars: the samples nearest to the mean of each cell, from different images."""

import numpy as np
from numpy.typing import NDArray

SIGN = np.uint32(1 << 31)
OVERSAMPLING = 2  # this many times the samples that are kept are tried first; few cells need more


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
