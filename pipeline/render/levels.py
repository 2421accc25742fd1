"""The order of levels, from coarse to fine: their cells, what each icon starts from, and further attempts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core.errors import DataError
from pipeline.core.grid_levels import GridLevel, grid_levels
from pipeline.featurevis.cache import CachedImage, image_key
from pipeline.featurevis.renderer import CachedRenderer, Progress, RenderRequest
from pipeline.render.icons import Icon, Start, start_from_icon

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
        exemplar: [icon, rank], rows in activations; -1 for none.
    """

    size: int
    row: NDArray[np.intp]
    position: NDArray[np.int32]
    mean: NDArray[np.float32]
    reliability: NDArray[np.float32]
    exemplar: NDArray[np.int64]


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

    def render(self, targets: Floats, starts: Sequence[Start | None], progress: Progress) -> RenderedLevel:
        """Render one icon for each cell of a level.

        An icon whose parent was rendered for the very same target is its parent's. The first attempt at any other
        begins with its start, where it has one; further attempts start from noise.

        Args:
            targets: what the icons are optimized for, [cell, ...].
            starts: of each cell, None for noise.
            progress: called with the number of newly completed icons.
        """
        best = {
            row: start.icon
            for row, start in enumerate(starts)
            if start and start.icon and start.icon.target.tobytes() == targets[row].tobytes()
        }
        progress(len(best))
        left, retried = [row for row in range(len(targets)) if row not in best], 0
        for attempt in range(self._attempts):
            used = [None if attempt else starts[row] for row in left]
            requests = [self._request(targets[row], start, attempt) for row, start in zip(left, used, strict=True)]
            images = self._renderer.render(requests, _ignore if attempt else progress)
            for row, request, start in zip(left, requests, used, strict=True):
                image = images[request.key]
                if image.valid and (row not in best or self._value(best[row].cached) < self._value(image)):
                    best[row] = Icon(request.key, request.target, image, start.key if start else None)
            left = [row for row in left if row not in best or self._value(best[row].cached) < MIN_FIDELITY]
            if not attempt:
                retried = len(left)
        return RenderedLevel(best, retried)

    def _request(self, target: Floats, start: Start | None, attempt: int) -> RenderRequest:
        if start is None:
            return RenderRequest(image_key(self._base, target, attempt), target, attempt)
        return RenderRequest(image_key(self._base, target, attempt, start.key), target, attempt, start.image)

    def _value(self, image: CachedImage) -> float:
        return image.scores[self._score]


def rendered_levels(
    renderer: LevelRenderer,
    levels: Sequence[LevelCells],
    targets: Sequence[Floats],
    progress: Progress,
    *,
    warm: bool,
    patches: Sequence[Sequence[Start]] | None = None,
) -> Iterator[RenderedLevel]:
    """Each level's icons, from coarse to fine.

    Args:
        renderer: of levels.
        levels: from coarse to fine.
        targets: of each level's icons, [icon, ...].
        progress: called with the number of newly completed icons.
        warm: icons start from that of the coarser cell that contains theirs.
        patches: of each level's icons, to start from instead.

    Raises:
        DataError: not one icon of a level could be rendered.
    """
    coarser: tuple[LevelCells, RenderedLevel] | tuple[None, None] = (None, None)
    for number, (cells, wanted) in enumerate(zip(levels, targets, strict=True)):
        starts = (
            [start_from_icon(icon) for icon in parent_icons(cells, *coarser)] if patches is None else patches[number]
        )
        rendered = renderer.render(wanted, starts, progress)
        if len(cells.row) and not rendered.icons:
            raise DataError(
                f"render: expected icons for level {cells.size}, found that none of {len(cells.row)} could be rendered "
                "(no gradient, or numbers that are not finite); choose another layer, or try render.dtype=float32 and "
                "a lower render.learning_rate"
            )
        if warm:
            coarser = (cells, rendered)
        yield rendered


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
    return LevelCells(
        level.size, row, level.cell[row], level.activation[row], level.reliability[row], level.exemplar[row]
    )


def _ignore(_count: int) -> None:
    """Icons of further attempts were counted at the first."""
