"""First pass: sums of rows per cell, and the reliability of a cell's mean from the sums of two halves."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

MAX_RUN = 128  # rows that are added in float32, at most; their sums are added in float64
TILE = 2048  # rows per tile, so that they stay in the processor's cache


class GroupSums:
    """Sums of rows by group in float32, which lose no more than one rounding of a short sum, however large a group.

    Groups of up to ``MAX_RUN`` rows are summed in place. Those of more rows, of which there can be but few, are summed
    separately in float64, see :func:`add_rows`.
    """

    def __init__(self, sums: NDArray[np.float32], group: NDArray[np.integer]) -> None:
        """Prepare the sums.

        Args:
            sums: [group, channel], all zero; filled in place.
            group: of all rows that are going to be added.
        """
        self._sums = sums
        self._large = np.flatnonzero(np.bincount(group, minlength=len(sums)) > MAX_RUN)
        self._index = np.full(len(sums), -1)
        self._index[self._large] = np.arange(len(self._large))
        self._exact = np.zeros((len(self._large), sums.shape[1]))

    def add(self, rows: NDArray[np.floating], group: NDArray[np.integer]) -> None:
        """Add some rows [row, channel], of any number type, to the sums of their groups [row]."""
        index = self._index[group]
        add_rows(self._exact, rows, index)
        small, total = np.flatnonzero(index < 0), torch.from_numpy(self._sums)
        buffer = torch.empty(TILE, rows.shape[1])
        for start in range(0, len(small), TILE):
            chosen = small[start : start + TILE]
            total.index_add_(0, torch.from_numpy(group[chosen].astype(np.int64)), take_rows(rows, chosen, buffer))

    def finish(self) -> None:
        """Fill in the sums of large groups."""
        self._sums[self._large] = self._exact


def add_rows(sums: NDArray[np.float64], rows: NDArray[np.floating], group: NDArray[np.integer]) -> None:
    """Add each row to the sum of its group, in place.

    Rows of a group that are consecutive when sorted are added in float32, at most ``MAX_RUN`` of them; everything else
    is float64. So no more is lost than in one float32 rounding of a short sum, however large the group.

    Args:
        sums: [group, channel].
        rows: [row, channel], of any number type.
        group: [row]; rows of a negative group are left out.
    """
    order = np.argsort(group, kind="stable")[np.count_nonzero(group < 0) :]
    ordered = group[order]
    total = torch.from_numpy(sums)
    buffer = torch.empty(TILE, rows.shape[1])
    for start in range(0, len(order), TILE):
        of = ordered[start : start + TILE]
        begins = np.flatnonzero((np.diff(of, prepend=-1) != 0) | (np.arange(len(of)) % MAX_RUN == 0))
        chosen = csr_matrix(
            (np.ones(len(of), np.float32), np.arange(len(of), dtype=np.int32), np.append(begins, len(of))),
            shape=(len(begins), len(of)),
        )
        runs = torch.from_numpy(chosen @ take_rows(rows, order[start : start + TILE], buffer).numpy())
        total.index_add_(0, torch.from_numpy(of[begins].astype(np.int64)), runs.double())


def take_rows(rows: NDArray[np.floating], chosen: NDArray[np.integer], buffer: torch.Tensor) -> torch.Tensor:
    """``rows[chosen]`` as float32, in the first rows of a buffer that is used again and again.

    Args:
        rows: [row, channel], of any number type.
        chosen: indices in the order wanted; at most as many as the buffer has rows.
        buffer: float32 [row, channel]; of torch, which aligns it the same way each time.
    """
    return buffer[: len(chosen)].copy_(torch.from_numpy(rows[chosen]))


def image_half(image: NDArray[np.int64]) -> NDArray[np.int64]:
    """The half (0 or 1) that each image belongs to.

    It is one bit of a hash of the image's row (the finalizer of SplitMix64; Steele, Lea and Flood 2014), so that no
    regular order of labels falls into one half.
    """
    mixed = image.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((mixed ^ (mixed >> np.uint64(31))) & np.uint64(1)).astype(np.int64)


def coarser(sums: NDArray[np.float64], parent: NDArray[np.int64], cells: int) -> NDArray[np.float64]:
    """Sums [coarse cell, ...] by adding those of the finer cells [fine cell, ...] in each coarse cell.

    Args:
        sums: [fine cell, ...].
        parent: [fine cell] the coarse cell it lies in.
        cells: how many coarse cells there are.
    """
    fine = np.arange(len(parent))
    chosen = csr_matrix((np.ones(len(parent)), (parent, fine)), shape=(cells, len(parent)))
    added: NDArray[np.float64] = chosen @ sums.reshape(len(sums), -1)
    return added.reshape(cells, *sums.shape[1:])


def half_products(
    half_sums: NDArray[np.float64], half_counts: NDArray[np.float64], mean: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Scalar products [3, cell] of the centered means of a cell's halves: first · second, first², second².

    Those of several slices of the channels add up to those of all channels.

    Args:
        half_sums: [cell, half, channel].
        half_counts: [cell, half]; the mean of a half without a sample is its sum.
        mean: [channel], of the whole layer.
    """
    first, second = np.moveaxis(half_sums / np.maximum(half_counts, 1)[:, :, None] - mean, 1, 0)
    pairs = ((first, second), (first, first), (second, second))
    return np.stack([np.einsum("ij,ij->i", left, right) for left, right in pairs])


def reliability(products: NDArray[np.float64], half_counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centered cosine [cell] between the means of a cell's two image-disjoint halves; NaN where one half is empty.

    A half whose mean is the layer's mean has no direction: the cosine is 0.

    Args:
        products: [3, cell], see :func:`half_products`.
        half_counts: [cell, half].
    """
    norms = np.sqrt(products[1]) * np.sqrt(products[2])
    cosines = np.divide(products[0], norms, out=np.zeros(len(norms)), where=norms > 0)
    return np.where((half_counts > 0).all(axis=1), np.clip(cosines, -1, 1), np.nan)
