"""The one place where the benchmarks touch the loop of the render engine."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.render.cells import Cells
from pipeline.config.render import RenderSettings
from pipeline.render import noise
from pipeline.render.directions import Space, space
from pipeline.render.objective import objective
from pipeline.render.optimize import draw
from pipeline.render.parameterisation import canvas
from pipeline.render.probe import Probe
from pipeline.render.schedule import cold_start, warm_start
from pipeline.render.views import DRAWS

DType = Literal["float32", "bfloat16"]
Floats = NDArray[np.float32]
SEED = 0

# how our side may run the race: as it is configured, and for what both the other side and the bar ask for, raw cosine
VARIANTS: dict[str, dict[str, Any]] = {
    "as configured": {},
    "tuned for raw fidelity": {"space": "raw", "contrast": 0.4, "power": 8.0, "learning_rate": 0.35},
}


@dataclass(frozen=True)
class Recipe:
    """How icons are drawn: the configured settings but for these.

    Attributes:
        size: side of the icons, pixels.
        steps: of a whole schedule.
        dtype: number type of the network's pass.
        variant: one of :data:`VARIANTS`.
    """

    size: int
    steps: int
    dtype: DType
    variant: str = "as configured"

    def settings(self, configured: RenderSettings) -> RenderSettings:
        """The settings of the stage."""
        own = {"size": self.size, "steps": self.steps, "dtype": self.dtype}
        return configured.model_copy(update={**own, **VARIANTS[self.variant]})


class Painter:
    """Draws batches of icons for one layer as the stage ``render`` does, without measuring them."""

    def __init__(self, cells: Cells, settings: RenderSettings, where: Space | None = None) -> None:
        """Prepare all that the stage prepares once for a layer.

        Args:
            cells: whose layer and network it is.
            settings: of the stage, with the size of the layer's icons.
            where: the space in which icons are compared; None makes the one that the settings name.
        """
        self.settings = settings
        self._probe = Probe(cells.network, cells.layer, settings.size, settings.dtype)
        self._space = where or space(settings.space, cells.layer_mean)
        self._device = cells.device

    def draw(self, means: Floats, parents: Tensor | None = None, *, alike: bool = False) -> Tensor:
        """One batch from its start to its stored icons, uint8 [icon, y, x, 3].

        Args:
            means: raw mean activations of the icons' cells, [icon, channel].
            parents: icons to start from, uint8 [icon, y, x, 3]; None starts all from noise.
            alike: all icons get the first one's random numbers.
        """
        paper = canvas(self.settings)
        schedule = cold_start(self.settings) if parents is None else warm_start(self.settings)
        generators = [noise.generator(SEED, means[0] if alike else mean, attempt=0) for mean in means]
        starts, draws = noise.start_and_draws(generators, paper.shape, schedule.steps, DRAWS)
        starts *= self.settings.initial
        if parents is not None:
            starts = paper.parameters(parents.movedim(-1, 1) / 255)
        aim = objective(self._space, torch.from_numpy(means).to(self._device))
        starts, draws = starts.to(self._device), draws.to(self._device)
        drawn = draw(self._probe, aim, starts, draws, self.settings, schedule)
        return stored(drawn.pictures)

    def draw_all(self, means: Floats, parents: Tensor | None = None) -> Tensor:
        """The same for any number of icons, in batches of the settings' size, the last one filled up as the stage does.

        Args:
            means: raw mean activations of the icons' cells, [icon, channel].
            parents: icons to start from, uint8 [icon, y, x, 3]; None starts all from noise.
        """
        batch, icons = self.settings.batch_size, []
        for first in range(0, len(means), batch):
            rows = np.minimum(np.arange(first, first + batch), len(means) - 1)
            icons.append(self.draw(means[rows], None if parents is None else parents[torch.from_numpy(rows)]))
        return torch.cat(icons)[: len(means)]


class Ours:
    """A painter and the cells that it draws in one batch."""

    def __init__(self, cells: Cells, configured: RenderSettings, recipe: Recipe) -> None:
        """Prepare all that the stage prepares once for a layer."""
        self._painter = Painter(cells, recipe.settings(configured))
        self._means = cells.mean

    def draw(self) -> Tensor:
        """One batch from its noise to its stored icons, uint8 [icon, y, x, 3]."""
        return self._painter.draw(self._means)


def stored(pictures: Tensor) -> Tensor:
    """Pictures [icon, 3, y, x] in 0..1 as icons are stored, uint8 [icon, y, x, 3]."""
    return (pictures.nan_to_num() * 255).round().byte().movedim(1, -1).cpu()
