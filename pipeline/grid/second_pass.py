"""Second pass: how near each sample is to the means of its cells, and what follows from that."""

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.grid.placed import nested_order
from pipeline.grid.tiles import take

TILE = 128  # samples in one matrix product; they lie in few cells, next to each other
GATHERED = 16 * TILE  # samples that are centred together, so that they stay in the processor's cache


def cosines_to_means(
    rows: NDArray[np.floating],
    label: NDArray[np.integer],
    ancestors: NDArray[np.int64],
    directions: list[NDArray[np.float32]],
    mean: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Centred cosine [level, sample] between each sample's activation and the mean of its cell, at every level.

    Samples are sorted so that those of a cell follow each other at every level. A few of them then have only a few
    cells, and one matrix product gives their cosines to all of these, of which those to their own are kept.

    A sample or cell that equals the layer's mean has no direction; its cosine is 0. (An all-zero sample has one: it
    lies at minus the mean.) So is that of samples which are not in the atlas.

    Args:
        rows: activations [sample, channel], of any number type.
        label: [sample] the finest cell; those beyond the last cell are not in the atlas.
        ancestors: [level, finest cell] the cell of each level that a finest cell lies in.
        directions: for each level the cells' centred mean activations [cell, channel], of length 1.
        mean: [channel], of the whole layer.
    """
    rank = np.append(nested_order(ancestors), np.int32(ancestors.shape[1]))
    ranks = rank[label]
    order = np.argsort(ranks, kind="stable")[: np.count_nonzero(ranks < ancestors.shape[1])]
    cells = ancestors[:, label[order]]
    cosines = np.zeros((len(ancestors), len(rows)), np.float32)
    buffer = torch.empty(GATHERED, rows.shape[1])
    for start in range(0, len(order), GATHERED):
        chosen = order[start : start + GATHERED]
        units = take(rows, chosen, buffer)
        _centre(units.numpy(), mean)
        for first in range(0, len(chosen), TILE):
            own = cells[:, start + first : start + first + len(chosen[first : first + TILE])]
            cosines[:, chosen[first : first + TILE]] = _own_cosines(units[first : first + TILE], own, directions)
    return cosines


def _centre(rows: NDArray[np.float32], mean: NDArray[np.float32]) -> None:
    """Subtract the mean and bring rows to length 1, in place."""
    rows -= mean
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    np.divide(rows, norms, out=rows, where=norms > 0)


def _own_cosines(
    units: torch.Tensor, own: NDArray[np.int64], directions: list[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Products [level, sample] of a few samples [sample, channel] with the directions of their own cells."""
    changes = np.diff(own, axis=1, prepend=-1) != 0
    column = np.cumsum(changes.ravel()).reshape(own.shape) - 1  # of the product, in which each run of a cell has one
    found = [level[cells[new]] for level, cells, new in zip(directions, own, changes, strict=True)]
    others = torch.empty(sum(map(len, found)), units.shape[1])
    np.concatenate(found, out=others.numpy())
    products: NDArray[np.float32] = torch.mm(units, others.T).numpy()
    kept: NDArray[np.float32] = products[np.arange(len(units)), column]
    return kept


def spread(cosines: NDArray[np.float32], cell: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean of 1 - cosine over the samples of each cell [cell]: 0 where all agree, 1 where they share nothing."""
    return np.bincount(cell, 1 - cosines.astype(np.float64), len(count)) / count
