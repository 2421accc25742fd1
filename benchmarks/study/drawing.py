"""Drawing the study's cells in the way of one row."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from benchmarks.fidelity.exemplars import Photographs, patches
from benchmarks.real import Run
from benchmarks.render.cells import Cells, level_cells, parents_of, spread_cells
from benchmarks.render.ours import SEED, Painter, stored
from benchmarks.study import others
from benchmarks.study.variants import Variant
from pipeline.config.render import RenderSettings
from pipeline.core import zarr_store as store
from pipeline.core.artifacts import ACTIVATIONS
from pipeline.core.moments import layer_statistics
from pipeline.render import noise
from pipeline.render.directions import Space, space
from pipeline.render.objective import objective
from pipeline.render.probe import Probe
from pipeline.render.views import DRAWS

LEVEL, PARENT_LEVEL = 10, 5
PHOTOGRAPHS = 200  # that MaCo's magnitudes are measured on


@dataclass(frozen=True)
class Material:
    """What the rows of one layer share.

    Attributes:
        run: the real input.
        layer: dotted module path.
        configured: the default settings, with the size of the layer's icons.
        count: icons, all in one batch.
    """

    run: Run
    layer: str
    configured: RenderSettings
    count: int

    @cached_property
    def cells(self) -> Cells:
        """The cells that are drawn."""
        return spread_cells(self.run, self.layer, self.count, LEVEL)

    @cached_property
    def level(self) -> Cells:
        """All drawn cells of their level."""
        return level_cells(self.run, self.layer, LEVEL)

    @cached_property
    def parents(self) -> Tensor:
        """Icons of the cells that they lie in one level up, at the default settings."""
        coarse = level_cells(self.run, self.layer, PARENT_LEVEL)
        icons = Painter(coarse, self.configured).draw_all(coarse.mean)
        return icons[torch.from_numpy(parents_of(self.cells, coarse))]

    @cached_property
    def magnitude(self) -> Tensor:
        """Mean magnitudes of the run's photographs, from the middle of each."""
        photographs, size = Photographs(self.run, self.cells), self.configured.size
        rows = np.linspace(0, len(photographs) - 1, min(PHOTOGRAPHS, len(photographs))).round().astype(int)
        pixels = torch.from_numpy(np.stack([photographs.middle(int(row), size) for row in rows]))
        return others.magnitudes(pixels, self.configured)

    def space(self, settings: RenderSettings) -> Space:
        """Where directions are compared; a whitened one needs the layer's covariance."""
        if settings.space != "whitened":
            return space(settings.space, self.cells.layer_mean)
        activations = store.open_artifact(ACTIVATIONS, ACTIVATIONS.path(self.run.outputs, self.layer))
        found = layer_statistics(store.array(activations, "activation"))
        return space("whitened", self.cells.layer_mean, found.covariance, found.count, settings.shrinkage)


def drawn(variant: Variant, material: Material, settings: RenderSettings) -> tuple[Tensor, float]:
    """The icons of one row, uint8 [icon, y, x, 3], and the seconds they took.

    Args:
        variant: the row.
        material: what rows share.
        settings: of the row.
    """
    draw = _engine(variant, material, settings) if variant.painter == "engine" else _other(variant, material, settings)
    began = perf_counter()
    icons = draw()
    return icons, perf_counter() - began


def _engine(variant: Variant, material: Material, settings: RenderSettings) -> Callable[[], Tensor]:
    cells = material.cells
    painter = Painter(cells, settings, material.space(settings))
    start = None
    if variant.start == "exemplar":
        start = patches(material.run, cells, settings.size)
    elif variant.start == "parent":
        start = material.parents
    return lambda: painter.draw(cells.mean, start, alike=variant.start == "alike")


def _other(variant: Variant, material: Material, settings: RenderSettings) -> Callable[[], Tensor]:
    cells = material.cells
    probe = Probe(cells.network, cells.layer, settings.size, settings.dtype)
    aim = objective(material.space(settings), torch.from_numpy(cells.mean).to(cells.device))
    generators = [noise.generator(SEED, mean, attempt=0) for mean in cells.mean]
    shape = (3, settings.size, settings.size)
    starts, draws = noise.start_and_draws(generators, shape, settings.steps, DRAWS)
    draws = draws.to(cells.device)
    if variant.painter == "maco":
        magnitude = material.magnitude
        return lambda: stored(others.maco(probe, aim, magnitude, starts, draws, settings))
    return lambda: stored(others.prior(probe, aim, SEED, draws, settings))
