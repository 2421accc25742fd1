"""Which samples are ablated, which cells are steered towards, and on which images; all follow from the seed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.cells import flat_cells

Rows = NDArray[np.int64]


def draw_rows(image: Rows, count: int, seed: int) -> Rows:
    """``count`` rows of samples, in random order: one of every image before a second one of any.

    The draw depends on ``image`` alone. Row s is the same place at every layer, so all layers are tested at the same
    places.

    Args:
        image: [sample] row of each sample's image.
        count: rows to draw; fewer are returned where there are fewer samples.
        seed: of the draw.
    """
    shuffled = np.random.default_rng([seed, 1]).permutation(len(image))
    by_image = np.argsort(image[shuffled], kind="stable")
    sorted_images = image[shuffled][by_image]
    turn = np.empty(len(image), np.int64)
    turn[by_image] = np.arange(len(image)) - np.searchsorted(sorted_images, sorted_images)
    rows: Rows = shuffled[np.argsort(turn, kind="stable")[:count]]
    return rows


def partners(image: Rows, first: int = 1) -> Rows:
    """For each drawn sample the index of another one from another image.

    It is the next such sample in cyclic order, ``first`` or more places further on.

    Args:
        image: [sample] row of each drawn sample's image, of two images at least.
        first: where the search starts, so that two sets of partners can differ.

    Raises:
        ValueError: all samples are from one image.
    """
    count = len(image)
    found = np.full(count, -1)
    for step in range(first, first + count):
        candidate = (np.arange(count) + step) % count
        fits = (found < 0) & (image[candidate] != image)
        found[fits] = candidate[fits]
        if (found >= 0).all():
            return found
    raise ValueError("every sample is of the same image")


def flat_cells_at(xy: NDArray[np.floating], size: int, finest: int) -> Rows:
    """The cell [point] of each point as ``row · size + column``, found at the finest level as in the stage ``grid``.

    Args:
        xy: [point, 2] in 0..1, x to the right, y downwards.
        size: cells per side of the level.
        finest: cells per side of the grid's finest level, a multiple of ``size``.
    """
    row_column = np.stack(np.divmod(flat_cells(xy, finest), finest), axis=1) // (finest // size)
    flat: Rows = row_column @ np.array([size, 1])
    return flat


def draw_cells(usable: NDArray[np.bool_], count: int, seed: int) -> Rows:
    """``count`` of the usable cells, drawn by the seed alone: choosing strong cells would flatter the layer."""
    indices = np.flatnonzero(usable)
    return np.sort(np.random.default_rng([seed, 3]).permutation(indices)[:count])


@dataclass(frozen=True)
class SteeringTrials:
    """Trials of the steering test: each adds one cell's direction to one sample of an image not seen in the cell.

    Attributes:
        cell: [trial] index of the tested cell.
        row: [trial] row of the sample.
    """

    cell: Rows
    row: Rows


def draw_trials(cells: Rows, sample: Rows, image: Rows, tested: Rows, count: int, seed: int) -> SteeringTrials:
    """For each tested cell, one sample of each of ``count`` images that have no sample in the cell.

    Args:
        cells: [point] the flat cell of each point of the layout.
        sample: [point] its row in activations.
        image: [sample] row of each sample's image.
        tested: [cell] the flat cell of each tested cell.
        count: images per cell; fewer where there are not as many such images.
        seed: of the draw.
    """
    by_image = np.argsort(image, kind="stable")
    names, first, counts = np.unique(image[by_image], return_index=True, return_counts=True)
    trial_cells, rows = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for number, flat in enumerate(tested):
        random = np.random.default_rng([seed, 4, int(flat)])
        unseen = np.flatnonzero(~np.isin(names, image[sample[cells == flat]]))
        chosen = random.permutation(unseen)[:count]
        within = (random.random(len(chosen)) * counts[chosen]).astype(np.int64)
        trial_cells.append(np.full(len(chosen), number))
        rows.append(by_image[first[chosen] + within])
    return SteeringTrials(np.concatenate(trial_cells), np.concatenate(rows))
