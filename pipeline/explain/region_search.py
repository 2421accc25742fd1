"""Search by region: the images, and the cells of the atlas, whose positions resemble what a box in an image shows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Query:
    """What a box in an image shows, at one layer.

    Attributes:
        image: row of the image in the list of images.
        box: left, top, right and bottom, shares of the network's crop.
        activation: mean over the positions in the box, [channel].
    """

    image: int
    box: Box
    activation: Floats


def box_mean(grid: Floats, box: Box) -> Floats:
    """The mean activation over the positions whose centers lie in a box, [channel]; the nearest one if there is none.

    Args:
        grid: a layer's map [channel, y, x].
        box: left, top, right and bottom, shares of the image.
    """
    rows, columns = (
        _within(size, low, high)
        for size, low, high in ((grid.shape[1], box[1], box[3]), (grid.shape[2], box[0], box[2]))
    )
    return np.asarray(grid[:, rows][:, :, columns].mean(axis=(1, 2), dtype=np.float64), np.float32)


def _within(size: int, low: float, high: float) -> NDArray[np.int64]:
    centers = (np.arange(size) + 0.5) / size
    found = np.flatnonzero((centers >= low) & (centers < high))
    return found if len(found) else np.array([int(np.abs(centers - (low + high) / 2).argmin())])


def best_positions(grid: Floats, directions: Floats, center: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """The position of a map that is most like each direction, by the centered cosine; the first of equal ones.

    Args:
        grid: [channel, y, x].
        directions: of the queries, centered, of length 1 (or zeros), [query, channel].
        center: the layer's mean, [channel].

    Returns:
        The cosines [query], and (row, column) of the positions [query, 2].
    """
    positions = unit_rows(grid.reshape(len(grid), -1).T - center)
    cosine = directions @ positions.T
    best = cosine.argmax(axis=1)
    found = np.stack(np.unravel_index(best, grid.shape[1:]), axis=1).astype(np.int64)
    return np.asarray(cosine[np.arange(len(best)), best], np.float32), found


def unit_rows(rows: NDArray[np.floating]) -> Floats:
    """Rows of length 1; zeros stay zeros."""
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(np.divide(rows, lengths, out=np.zeros(rows.shape), where=lengths > 0), np.float32)


@dataclass(frozen=True, eq=False)
class Match:
    """An image that has a position like a query's box.

    Attributes:
        image: row of the image in the list of images.
        similarity: centered cosine, -1..1.
        position: (row, column) in the layer's map.
    """

    image: int
    similarity: float
    position: tuple[int, int]


def best_matches(
    query: Query, rows: Sequence[int], similarity: Floats, position: NDArray[np.int64], count: int
) -> list[Match]:
    """The images most like a query, best first, without its own image; of equal ones the smaller row.

    Args:
        query: whose matches are wanted.
        rows: of the images, [image].
        similarity: of each image's best position, [image].
        position: of that, [image, 2].
        count: at most as many.
    """
    order = sorted((-float(similarity[one]), row, one) for one, row in enumerate(rows) if row != query.image)
    return [
        Match(row, -negative, (int(position[one, 0]), int(position[one, 1]))) for negative, row, one in order[:count]
    ]
