"""Grid levels from coarse to fine: their cells, the parent that each icon starts from, and further attempts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core.grid_levels import GridLevel, grid_levels
from pipeline.featurevis.cache import CachedImage, image_key
from pipeline.featurevis.renderer import CachedRenderer, Progress, RenderRequest
from pipeline.render.icons import Icon

Floats = NDArray[np.float32]
Positions = NDArray[np.integer]

MIN_FIDELITY = 0.2  # an icon below this most likely ended in plain gray; another start may do better


@dataclass(frozen=True, eq=False)
class LevelCells:
    """The cells of a level that get icons.

    Attributes:
        size: cells a side.
        row: [icon], row among all cells of the level.
        position: [icon, 2] as (row, column).
        mean: [icon, channel], raw mean activation.
        reliability: [icon].
    """

    size: int
    row: NDArray[np.intp]
    position: NDArray[np.int32]
    mean: NDArray[np.float32]
    reliability: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class RenderedLevel:
    """The icons of a level.

    Attributes:
        icons: the valid ones, by row.
        retried: icons that got a second attempt, as the first one failed or had little fidelity.
    """

    icons: Mapping[int, Icon]
    retried: int


class LevelRenderer:
    """Renders levels, one after the other."""

    def __init__(self, renderer: CachedRenderer, base: bytes, attempts: int, score: str) -> None:
        """Prepare.

        Args:
            renderer: of single icons.
            base: of the keys of all icons, see :func:`pipeline.featurevis.cache.base_digest`.
            attempts: that an icon gets.
            score: name of the one to judge icons by; ``fidelity`` where they are rendered for raw activations.
        """
        self._renderer, self._base, self._attempts, self._score = renderer, base, attempts, score

    def render(self, means: Floats, parents: Sequence[Icon | None], progress: Progress) -> RenderedLevel:
        """Render one icon for each cell of a level.

        An icon whose parent was rendered for the very same mean is its parent's. The first attempt at any other starts
        from its parent, where it has one; further attempts start from noise.

        Args:
            means: raw mean activations of the cells, [cell, channel].
            parents: of each cell, None where there is none to start from.
            progress: called with the number of newly completed icons.
        """
        best = {row: same for row, same in enumerate(parents) if same and same.mean.tobytes() == means[row].tobytes()}
        progress(len(best))
        left, retried = [row for row in range(len(means)) if row not in best], 0
        for attempt in range(self._attempts):
            starts = [None if attempt else parents[row] for row in left]
            requests = [self._request(means[row], parent, attempt) for row, parent in zip(left, starts, strict=True)]
            images = self._renderer.render(requests, _ignore if attempt else progress)
            for row, request, parent in zip(left, requests, starts, strict=True):
                image = images[request.key]
                if image.valid and (row not in best or self._value(best[row].cached) < self._value(image)):
                    best[row] = Icon(request.key, request.target, image, parent.key if parent else None)
            left = [row for row in left if row not in best or self._value(best[row].cached) < MIN_FIDELITY]
            if not attempt:
                retried = len(left)
        return RenderedLevel(best, retried)

    def _request(self, mean: Floats, parent: Icon | None, attempt: int) -> RenderRequest:
        if parent is None:
            return RenderRequest(image_key(self._base, mean, attempt), mean, attempt)
        return RenderRequest(image_key(self._base, mean, attempt, parent.key), mean, attempt, parent.cached.image)

    def _value(self, image: CachedImage) -> float:
        return image.scores[self._score]


def level_cells(grid: zarr.Group) -> list[LevelCells]:
    """The cells of every level that get icons, from coarse to fine."""
    return [_cells(level) for level in grid_levels(grid)]


def parent_icons(
    cells: LevelCells, coarser: LevelCells | None, rendered: RenderedLevel | None
) -> Sequence[Icon | None]:
    """The icon that each cell's starts from; None where the coarser level has no valid one, or there is none.

    Args:
        cells: of a level.
        coarser: of the level before.
        rendered: that level.
    """
    if coarser is None or rendered is None:
        return [None] * len(cells.row)
    rows = parent_rows(cells.position, cells.size, coarser.position, coarser.size)
    return [rendered.icons.get(int(row)) for row in rows]


def parent_rows(positions: Positions, fine: int, coarser: Positions, coarse: int) -> NDArray[np.intp]:
    """For each cell of a level, the row of the cell that contains it in a coarser one; -1 where there is none.

    Args:
        positions: (row, column) of the cells, [cell, 2].
        fine: cells a side of their level.
        coarser: (row, column) of the coarser level's cells, [cell, 2].
        coarse: cells a side of that level; where it does not divide ``fine``, no cell lies within one of it.
    """
    if fine % coarse:
        return np.full(len(positions), -1, np.intp)
    rows: Mapping[tuple[int, int], int] = {(int(y), int(x)): row for row, (y, x) in enumerate(coarser)}
    above = positions.astype(np.int64) * coarse // fine
    return np.array([rows.get((int(y), int(x)), -1) for y, x in above], np.intp)


def _cells(level: GridLevel) -> LevelCells:
    row = level.drawn_cells
    return LevelCells(level.size, row, level.cell[row], level.activation[row], level.reliability[row])


def _ignore(_count: int) -> None:
    """Icons of further attempts were counted at the first."""
