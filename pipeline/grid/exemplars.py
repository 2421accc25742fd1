"""The samples nearest to the mean of each cell, from different images."""

import numpy as np
from numpy.typing import NDArray

SIGN = np.uint32(1 << 31)
TRIED = 2  # times as many samples as are kept are tried first; few cells need more to find so many images


def exemplars(
    cosines: NDArray[np.float32],
    cell: NDArray[np.int64],
    sample: NDArray[np.int64],
    image: NDArray[np.int64],
    cells: int,
    ranks: int,
) -> NDArray[np.int64]:
    """The samples nearest to each cell's mean, at most one of each image [cell, rank], -1 where there are no more.

    Args:
        cosines: [sample] to the mean of the sample's cell.
        cell: [sample].
        sample: [sample] its row in activations, ascending, which is what is returned; of equals the first is taken.
        image: [sample] the image it comes from.
        cells: how many cells there are.
        ranks: how many are kept.
    """
    best_first = np.argsort((cell.astype(np.uint64) << np.uint64(32)) | _falling(cosines), kind="stable")
    ordered = cell[best_first]
    starts = np.searchsorted(ordered, np.arange(cells + 1))
    tried = np.arange(len(ordered)) - starts[ordered] < TRIED * ranks
    result = _distinct(best_first[tried], cell, sample, image, cells, ranks)
    short = (result[:, -1] < 0) & (np.diff(starts) > TRIED * ranks)
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
    """The first of each image, of samples that are sorted by cell and then from best to worst."""
    # within a cell keep the first, hence best, of every image
    _, first = np.unique(cell[best_first] * (image.max(initial=0) + 1) + image[best_first], return_index=True)
    kept = best_first[np.sort(first)]
    starts = np.searchsorted(cell[kept], np.arange(cells))
    rank = np.arange(len(kept)) - starts[cell[kept]]
    result = np.full((cells, ranks), -1, np.int64)
    within = rank < ranks
    result[cell[kept][within], rank[within]] = sample[kept][within]
    return result


def _falling(values: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Whole numbers that rise as ``values`` fall: the bits of a float sort like it, once the sign is seen to."""
    bits = (values + np.float32(0)).view(np.uint32)  # + 0: the two zeros are equal
    rising = np.where(bits & SIGN, ~bits, bits | SIGN)
    return (~rising).astype(np.uint64)
