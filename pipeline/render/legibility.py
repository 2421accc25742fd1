"""Legibility: would a network that did not render the icons know which cell each of them belongs to?

Fidelity asks the network that an icon was rendered with, which also likes pictures that nobody else can read. The judge
is another network. It compares icons with real patches of the cells: with members of a cell from images that neither
its exemplars nor those of the cells around it come from, so that the renderer cannot have used them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.bootstrap import draw_counts, percentile_interval
from pipeline.core.cells import CellAssignment, parents
from pipeline.featurevis.judge import DEEPEST, Judge, Recognition, recognition
from pipeline.featurevis.sample_patches import PATCHES_PER_TASK, Samples, cell_means
from pipeline.parallel.pool import Pool

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

MEMBERS = 12  # patches of a cell's prototype, at most
RESAMPLES = 2000  # of the cells, for intervals


@dataclass(frozen=True, eq=False)
class Members:
    """Samples of cells that the renderer did not use, rows of samples; -1 for none.

    Attributes:
        prototype: [cell, MEMBERS].
        held_out: one more for each cell, [cell], for the ceiling.
    """

    prototype: NDArray[np.int64]
    held_out: NDArray[np.int64]

    @property
    def known(self) -> NDArray[np.bool_]:
        """[cell] whether the cell has both."""
        return np.asarray((self.prototype[:, 0] >= 0) & (self.held_out >= 0))


def unused_members(
    cells: CellAssignment,
    rows: NDArray[np.intp],
    sample: NDArray[np.int64],
    image: NDArray[np.int64],
    used: Sequence[NDArray[np.int64]],
    seed: int,
) -> Members:
    """Members of cells from images that the renderer did not use for them, at most one from each image.

    Args:
        cells: of the level.
        rows: of the cells that are looked at.
        sample: row of each point's sample, [point].
        image: row of each sample's image, [sample].
        used: for each of the cells, rows of samples that the renderer used; -1 for none.
        seed: of the choice.
    """
    order = np.argsort(cells.of_point, kind="stable")
    bounds = np.searchsorted(cells.of_point[order], np.arange(len(cells.cell) + 1))
    prototype = np.full((len(rows), MEMBERS), -1, np.int64)
    held_out = np.full(len(rows), -1, np.int64)
    for number, row in enumerate(rows):
        own = np.sort(sample[order[bounds[row] : bounds[row + 1]]])
        taken = used[number][used[number] >= 0]
        free = own[~np.isin(image[own], image[taken])]
        key = [seed, cells.size, *(int(place) for place in cells.cell[row])]
        mixed = np.random.default_rng(key).permutation(free)
        chosen = mixed[np.sort(np.unique(image[mixed], return_index=True)[1])][: MEMBERS + 1]
        if len(chosen) > 1:
            held_out[number] = chosen[0]
            prototype[number, : len(chosen) - 1] = chosen[1:]
    return Members(prototype, held_out)


def legibility_metrics(found: Recognition, ceiling: Recognition, seed: int) -> dict[str, Any]:
    """Shares over all pictures, depth by depth, and of those recognized, with intervals; None for no pictures.

    A real patch comes from an image without any exemplar of its cell, and may be a less typical member than those that
    icons are made from: ``to_real_patch``, the share of icons by that of real patches, may exceed 1.

    Args:
        found: of the icons.
        ceiling: of one real patch for each cell.
        seed: of the intervals.
    """
    count = found.cells
    weights = draw_counts(np.random.default_rng([seed, count]), count, RESAMPLES) if count else np.zeros((0, 0))
    icons, real = recognized(found, weights), recognized(ceiling, weights)
    return {
        "judged": count,
        "recognized": icons,
        "ceiling_recognized": real,
        "to_real_patch": round(icons["value"] / real["value"], 4) if icons and real and real["value"] else None,
        **_by_depth(found, ""),
        **_by_depth(ceiling, "ceiling_"),
        "chance_top1": round(1 / count, 4) if count else None,
        "chance_top5": round(min(5, count) / count, 4) if count else None,
    }


def recognized(found: Recognition, weights: NDArray[np.float64]) -> dict[str, float] | None:
    """The share of pictures whose own cell is the nearest, mean over the deepest depths; None for no pictures.

    Args:
        found: of the pictures.
        weights: how often each resample holds each cell, [resample, cell].

    Returns:
        ``value`` and its 95 % interval over the cells, ``low`` and ``high``, 0..1.
    """
    if not found.cells:
        return None
    own = np.asarray(found.top(1)[-DEEPEST:].mean(0), np.float64)
    interval = percentile_interval(float(own.mean()), weights @ own / len(own))
    return {name: round(getattr(interval, name), 4) for name in ("value", "low", "high")}


def icon_legibility(found: Recognition) -> Floats:
    """Of each icon: the mean percentile of its own cell at the deepest depths, [icon], 0..1; 1: the nearest."""
    return np.asarray(found.percentile[-DEEPEST:].mean(0), np.float32)


@dataclass(frozen=True, eq=False)
class _KnownCells:
    """Cells of a level that have members that the renderer did not use, as the judge sees them.

    Attributes:
        row: of the cell among the level's icons, [cell].
        prototype: mean over its members, [cell, number]; see :class:`Judge`.
        real: of one held-out member, likewise.
    """

    row: NDArray[np.intp]
    prototype: Floats
    real: Floats


class LegibilityMeasure:
    """Measures the icons of a run's levels by a judge."""

    def __init__(
        self,
        pool: Pool,
        spec: Callable[[], Judge],
        samples: Samples,
        levels: Sequence[CellAssignment],
        points: NDArray[np.int64],
        seed: int,
    ) -> None:
        """Prepare.

        Args:
            pool: the workers.
            spec: makes the judge, in a worker.
            samples: all of the layer.
            levels: of the layout's points, from coarse to fine.
            points: row of each point's sample, [point].
            seed: of the choice of members.
        """
        self._pool, self._spec, self._samples, self._seed = pool, spec, samples, seed
        self._levels, self._points = {level.size: level for level in levels}, points
        self._used: list[tuple[CellAssignment, dict[int, NDArray[np.int64]]]] = []
        self._known: dict[int, _KnownCells] = {}

    def __call__(
        self, size: int, rows: NDArray[np.intp], exemplars: NDArray[np.int64], icons: Pixels, valid: NDArray[np.bool_]
    ) -> tuple[Floats, dict[str, Any]]:
        """The legibility of each icon [icon], NaN where it is not known, and the metrics of a level.

        Levels come from coarse to fine, since an icon starts from that of a coarser cell. For the icons of a further
        style, which have the same cells, the judge does not look at real patches again.

        Args:
            size: cells a side.
            rows: of the icons' cells, [icon].
            exemplars: of those cells, rows of samples, [icon, rank]; -1 for none.
            icons: uint8 [icon, y, x, 3].
            valid: whether each could be rendered, [icon].
        """
        if size not in self._known:
            self._known[size] = self._known_cells(self._levels[size], rows, exemplars)
        known = self._known[size]
        rendered = valid[known.row]
        chosen = known.row[rendered]
        legibility = np.full(len(rows), np.nan, np.float32)
        if len(chosen) < 2:
            return legibility, {"judged": len(chosen)}
        channels, seen = self._seen(icons[chosen])
        prototypes = known.prototype[rendered]
        found, ceiling = (recognition(features, prototypes, channels) for features in (seen, known.real[rendered]))
        legibility[chosen] = icon_legibility(found)
        return legibility, legibility_metrics(found, ceiling, self._seed)

    def _known_cells(
        self, cells: CellAssignment, rows: NDArray[np.intp], exemplars: NDArray[np.int64]
    ) -> "_KnownCells":
        """What the judge sees in real patches of a level's cells."""
        self._used.append((cells, dict(zip(rows.tolist(), exemplars, strict=True))))
        members = unused_members(cells, rows, self._points, self._samples.image, self._used_by(cells, rows), self._seed)
        row = np.flatnonzero(members.known)
        if len(row) < 2:
            return _KnownCells(row, *(np.zeros((len(row), 0), np.float32) for _ in range(2)))
        patches = [members.prototype[row], members.held_out[row, None]]
        return _KnownCells(row, *cell_means(self._pool, self._spec, self._samples, patches))

    def _used_by(self, cells: CellAssignment, rows: NDArray[np.intp]) -> list[NDArray[np.int64]]:
        """For each cell the exemplars of it and of the coarser cells around it."""
        found: list[list[NDArray[np.int64]]] = [[] for _ in rows]
        for coarser, exemplars in self._used:
            around = parents(cells, coarser)[rows] if coarser.size < cells.size else rows
            for number, row in enumerate(around.tolist()):
                if row in exemplars:
                    found[number].append(exemplars[row])
        return [np.concatenate(one) for one in found]

    def _seen(self, icons: Pixels) -> tuple[tuple[int, ...], Floats]:
        """The judge's channels at each depth, and what it sees in icons."""
        tasks = [icons[start : start + PATCHES_PER_TASK] for start in range(0, len(icons), PATCHES_PER_TASK)]
        found = dict(self._pool.map_unordered(_judge_icons, tasks, self._spec))
        return found[0][0], np.concatenate([found[index][1] for index in range(len(tasks))])


def _judge_icons(judge: Judge, icons: Pixels) -> tuple[tuple[int, ...], Floats]:
    """In a worker."""
    return judge.channels, judge.icons(icons)


def _by_depth(found: Recognition, prefix: str) -> dict[str, list[float]]:
    shares = {"top1": found.top(1), "top5": found.top(5), "percentile": found.percentile}
    return {
        f"{prefix}{name}": [round(float(row.mean()), 4) if len(row) else 0.0 for row in values]
        for name, values in shares.items()
    }
