"""Which cells are tested, on which images that they have not seen, and along which directions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

DIRECTIONS = ("own", "gaussian", "shuffled", "other")
NAMED = 3  # classes that a cell is taken to name


@dataclass(frozen=True)
class Pushes:
    """Pushes to be made: each of one cell's direction at one sample of an image that the cell has not seen.

    Attributes:
        cell: [push] which of the tested cells.
        row: [push] the sample.
    """

    cell: Rows
    row: Rows


def nearest_level(sizes: Sequence[int], wanted: int) -> int:
    """The grid level nearest to ``wanted``; of two, the coarser."""
    return min(sorted(sizes), key=lambda size: abs(size - wanted))


def cells_of_points(xy: NDArray[np.floating], size: int, finest: int) -> NDArray[np.int64]:
    """[point] the square ``row · size + column`` of a level, found at the finest level, as the grid was."""
    row_column = np.minimum((xy[:, ::-1].astype(np.float64) * finest).astype(np.int64), finest - 1) // (finest // size)
    squares: Rows = row_column @ np.array([size, 1])
    return squares


def draw_cells(usable: NDArray[np.bool_], count: int, seed: int) -> Rows:
    """``count`` of the usable cells, by the seed alone: strong cells would flatter the layer."""
    at = np.flatnonzero(usable)
    return np.sort(np.random.default_rng([seed, 3]).permutation(at)[:count])


def named_classes(attribution: Floats) -> NDArray[np.int64]:
    """[cell, 3] the classes of largest positive mean attribution, largest first; -1 where there are fewer.

    Never more than half of all classes, which would name next to everything.
    """
    count = min(NAMED, attribution.shape[1] // 2)
    order = np.argsort(-attribution, axis=1, kind="stable")[:, :count]
    return np.where(np.take_along_axis(attribution, order, axis=1) > 0, order, -1)


def draw_pushes(squares: Rows, sample: Rows, image: Rows, tested: Rows, count: int, seed: int) -> Pushes:
    """For each tested cell, one sample each of ``count`` images that have none in the cell.

    Args:
        squares: [point] the square that each point of the layout lies in.
        sample: [point] its row in activations.
        image: [sample] row of each sample's image.
        tested: [cell] the square of each tested cell.
        count: images for each cell; fewer where not as many are unseen.
        seed: of the draw.
    """
    by_image = np.argsort(image, kind="stable")
    names, first, counts = np.unique(image[by_image], return_index=True, return_counts=True)
    cells, rows = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for number, square in enumerate(tested):
        generator = np.random.default_rng([seed, 4, int(square)])
        unseen = np.flatnonzero(~np.isin(names, image[sample[squares == square]]))
        chosen = generator.permutation(unseen)[:count]
        within = (generator.random(len(chosen)) * counts[chosen]).astype(np.int64)
        cells.append(np.full(len(chosen), number))
        rows.append(by_image[first[chosen] + within])
    return Pushes(np.concatenate(cells), np.concatenate(rows))


def unit_directions(activation: Floats, mean: Floats) -> Floats:
    """[cell, channel] from the layer's mean activation to each cell's, of length 1; NaN where they are the same."""
    away = activation - mean
    length = np.linalg.norm(away, axis=1, keepdims=True)
    units: Floats = np.divide(away, length, out=np.full(away.shape, np.nan), where=length > 0)
    return units


def push_directions(units: Floats, tested: Rows, pushes: Pushes, span: range, seed: int) -> Floats:
    """[direction, push, channel] of length 1: the cell's own and its controls, drawn anew for every push.

    ``gaussian`` is drawn from a normal distribution, ``shuffled`` is the cell's own with its channels shuffled,
    ``other`` is that of another cell (zeros where there is none).

    Args:
        units: [cell, channel] directions of all cells that others may be drawn from.
        tested: [tested cell] index into ``units``.
        pushes: the pushes.
        span: which of them.
        seed: of the controls.
    """
    found = np.empty((len(DIRECTIONS), len(span), units.shape[1]))
    for place, number in enumerate(span):
        generator = np.random.default_rng([seed, 5, number])
        cell = int(tested[pushes.cell[number]])
        noise = generator.normal(size=units.shape[1])
        other = (cell + 1 + generator.integers(max(1, len(units) - 1))) % len(units)
        found[0, place] = units[cell]
        found[1, place] = noise / np.linalg.norm(noise)
        found[2, place] = generator.permutation(units[cell])
        found[3, place] = units[other] if other != cell else 0
    return found
