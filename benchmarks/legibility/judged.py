"""Cells that a judge knows from real patches, and how it assigns pictures to them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.real import EFFICIENTNET, SQUEEZENET, TOYTOWN
from benchmarks.render.cells import Cells
from benchmarks.render.ours import SEED
from benchmarks.render.prior import samples_of
from pipeline.config.model import ModelSettings
from pipeline.core import zarr_store
from pipeline.core.artifacts import IMAGES, LAYOUT, MODEL
from pipeline.core.cells import assign_cells
from pipeline.featurevis.judge import DEEPEST, JudgeSpec, Recognition, recognition
from pipeline.featurevis.sample_patches import PatchesSpec, cell_means
from pipeline.parallel.pool import InlinePool
from pipeline.render.legibility import unused_members

# whose network judges the icons of each experiment
JUDGES = {SQUEEZENET: EFFICIENTNET, EFFICIENTNET: SQUEEZENET, TOYTOWN: EFFICIENTNET}


@dataclass(frozen=True)
class Legible:
    """Legibility of some icons.

    Attributes:
        percentile: mean share of the other cells that are further away than the own one, 0..1.
        first: share whose own cell is the nearest.
    """

    percentile: float
    first: float


class Judged:
    """The cells that are known to the judge, and what it sees in their real patches.

    Attributes:
        known: their rows in the given cells.
        cells: only those.
    """

    def __init__(self, cells: Cells, judge: ModelSettings, size: int) -> None:
        """Look at real patches.

        Args:
            cells: of one level.
            judge: settings of its network.
            size: side of the icons, pixels.
        """
        run, layer = cells.run, cells.layer
        layout = zarr_store.open_artifact(LAYOUT, LAYOUT.path(run.outputs, layer, "all"))
        points, xy = (np.asarray(zarr_store.array(layout, name)[...]) for name in ("sample", "xy"))
        (assigned,) = assign_cells(xy, [cells.level])
        samples = samples_of(run.outputs, layer)
        place = {tuple(one): index for index, one in enumerate(assigned.cell.tolist())}
        rows = np.array([place[tuple(one)] for one in cells.place.tolist()], np.intp)
        members = unused_members(assigned, rows, points, samples.image, list(cells.exemplars), SEED)
        self.known = np.flatnonzero(members.known)
        self.cells = cells.chosen(self.known)
        spec = PatchesSpec(MODEL.path(run.outputs), IMAGES.path(run.outputs), run.params.images, layer, size)
        self._judge = JudgeSpec(judge, spec, str(cells.device))()
        self._prototypes, self._real = cell_means(
            InlinePool(None),
            lambda: self._judge,
            samples,
            [members.prototype[self.known], members.held_out[self.known, None]],
        )

    def icons(self, icons: Tensor) -> Recognition:
        """How icons uint8 [cell, y, x, 3] of the known cells are assigned to cells."""
        return recognition(self._judge.icons(icons.numpy()), self._prototypes, self._judge.channels)

    def legible(self, icons: Tensor) -> Legible:
        """Legibility of icons uint8 [cell, y, x, 3] of the known cells, mean over the judge's deepest depths."""
        found = self.icons(icons)
        return Legible(float(found.percentile[-DEEPEST:].mean()), float(recognized(found).mean()))

    def real(self) -> Recognition:
        """The same of one real patch of each cell, which no prototype holds."""
        return recognition(self._real, self._prototypes, self._judge.channels)


def recognized(found: Recognition) -> NDArray[np.float64]:
    """Of each picture, whether its own cell is the nearest, mean over the judge's deepest depths, [picture]."""
    return np.asarray(found.top(1)[-DEEPEST:].mean(0), np.float64)


def first_reaching(found: dict[int, Legible], percentile: float) -> int | None:
    """The fewest steps with at least that percentile; None if none has it.

    Args:
        found: legibility by number of steps, ascending.
        percentile: target, 0..1.
    """
    return next((steps for steps, one in found.items() if one.percentile >= percentile), None)
