"""Icons rendered from one half of the images, retrieved among the means of the other half."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.harness.rows import Row, row
from benchmarks.real import Run
from benchmarks.render.cells import Cells, first_cells, level_cells, parents_of
from benchmarks.render.ours import IconRenderer
from pipeline.config.render import RenderSettings
from pipeline.core import zarr_store
from pipeline.core.artifacts import ACTIVATIONS, GRID, LAYOUT
from pipeline.core.cells import CellAssignment, assign_cells
from pipeline.core.moments import grouped_sums, row_blocks
from pipeline.grid.sums import image_half
from pipeline.render.fidelity import retrieval

MINIMUM = 3  # samples in each half of a cell
GOAL = 0.9  # of what the half means themselves reach

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Halves:
    """The cells of a level that both halves know.

    Attributes:
        cells: with the means of the first half.
        other: means of the second half, [cell, channel].
    """

    cells: Cells
    other: Floats


def halves_rows(run: Run, layer: str, levels: tuple[int, ...], configured: RenderSettings, limit: int) -> list[Row]:
    """Retrieval across image halves.

    Args:
        run: the real input.
        layer: dotted module path.
        levels: ascending; each but the first starts from the one before.
        configured: our settings of the stage, with the size of the layer's icons.
        limit: at most so many cells of a level.
    """
    rows: list[Row] = []
    before: tuple[Cells, Tensor] | None = None  # the coarser level and its icons
    for level in levels:
        found = half_cells(run, layer, level, limit, before[0] if before else None)
        # the exemplars come from both halves
        renderer = IconRenderer(found.cells, configured.model_copy(update={"statistics": 0.0}))
        parents = before[1][parents_of(found.cells, before[0])] if before else None
        icons = renderer.render_all(parents)
        activation = found.cells.measured(icons, configured.size).activation
        rows += _rows(f"{layer}, level {level}, {len(found.other)} cells, across image halves", found, activation)
        before = found.cells, icons
    return rows


def _rows(where: str, found: Halves, activation: Floats) -> list[Row]:
    cells = found.cells
    of_icons = retrieval(activation, found.other, cells.place, cells.layer_mean).exact
    of_means = retrieval(cells.mean, found.other, cells.place, cells.layer_mean).exact
    what = f"{where}: icons of one half against the means of that half, both looking for the other half's"
    return [
        row(f"{where}: retrieval of icons", 100 * of_icons, "%"),
        row(f"{where}: retrieval of the half means themselves", 100 * of_means, "%"),
        row(what, of_icons / max(of_means, 1e-9), "x", at_least=GOAL),
    ]


def half_cells(run: Run, layer: str, level: int, limit: int, coarse: Cells | None = None) -> Halves:
    """At most ``limit`` drawn cells of a level that both halves of the images know, with each half's means."""
    cells = first_cells(level_cells(run, layer, level), limit, coarse)
    activations = zarr_store.open_artifact(ACTIVATIONS, ACTIVATIONS.path(run.outputs, layer))
    layout = zarr_store.open_artifact(LAYOUT, LAYOUT.path(run.outputs, layer, "all"))
    sample = np.asarray(zarr_store.array(layout, "sample")[...])
    finest = max(
        int(size) for size in zarr_store.open_artifact(GRID, GRID.path(run.outputs, layer, "all")).group_keys()
    )
    of_level = assign_cells(np.asarray(zarr_store.array(layout, "xy")[...]), (level, finest))[0]
    half = of_level.of_point * 2 + image_half(np.asarray(zarr_store.array(activations, "image")[...])[sample])
    array = zarr_store.array(activations, "activation")
    group = np.full(array.shape[0], 2 * len(of_level.cell))  # the last one is of samples outside of the atlas
    group[sample] = half
    blocks = ((np.arange(start, start + len(block)), block) for start, block in row_blocks(array))
    sums = grouped_sums(blocks, group, 2 * len(of_level.cell) + 1, array.shape[1])[:-1]
    count = np.bincount(half, minlength=2 * len(of_level.cell)).reshape(-1, 2)
    means = (sums.reshape(len(count), 2, -1) / np.maximum(count, 1)[:, :, None]).astype(np.float32)
    rows, known = _known(cells, of_level, count)
    chosen = cells.chosen(rows)
    return Halves(replace(chosen, mean=means[known, 0]), means[known, 1])


def _known(cells: Cells, level: CellAssignment, count: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of drawn cells, and of the same among occupied ones, that have enough samples in both halves."""
    occupied = {tuple(place): row for row, place in enumerate(level.cell.tolist())}
    of_drawn = np.array([occupied[tuple(place)] for place in cells.place.tolist()], np.intp)
    enough = (count[of_drawn] >= MINIMUM).all(axis=1)
    return np.flatnonzero(enough), of_drawn[enough]
