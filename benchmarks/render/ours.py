"""The one place where the benchmark touches the render engine."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from benchmarks.render.cells import LEVEL, Cells
from pipeline.render import noise
from pipeline.render.config import RenderSettings
from pipeline.render.directions import space
from pipeline.render.noise import Place
from pipeline.render.objective import objective
from pipeline.render.optimize import draw
from pipeline.render.parameterisation import canvas
from pipeline.render.probe import Probe
from pipeline.render.views import DRAWS

DType = Literal["float32", "bfloat16"]
SEED = 0

SHORT = 64  # fewer steps than this may be longer steps


def rates(steps: int) -> tuple[float, ...]:
    """Learning rates worth a try with this many steps, in multiples of the configured one."""
    return (1.0, 2.0, 4.0) if steps < SHORT else (1.0,)


@dataclass(frozen=True)
class Recipe:
    """How icons are drawn: the configured settings but for these.

    Attributes:
        size: side of the icons, pixels.
        steps: of a whole schedule.
        dtype: number type of the network's pass.
        rate: times the configured learning rate.
    """

    size: int
    steps: int
    dtype: DType
    rate: float = 1.0

    def settings(self, configured: RenderSettings, batch: int) -> RenderSettings:
        """The settings of the stage."""
        return configured.model_copy(
            update={
                "size": self.size,
                "steps": self.steps,
                "dtype": self.dtype,
                "batch_size": batch,
                "learning_rate": configured.learning_rate * self.rate,
            }
        )


class Ours:
    """Draws the cells' icons as the stage ``render`` does, without measuring them."""

    def __init__(self, cells: Cells, configured: RenderSettings, recipe: Recipe) -> None:
        """Prepare all that the stage prepares once for a layer."""
        self._settings = recipe.settings(configured, len(cells.mean))
        self._probe = Probe(cells.network, cells.layer, recipe.size, recipe.dtype)
        self._space = space(self._settings.space, cells.layer_mean)
        self._device = cells.device
        self._targets = torch.from_numpy(cells.mean).to(cells.device)
        self._places = [Place(cells.layer, "all", LEVEL, int(row), int(column)) for row, column in cells.place]

    def draw(self) -> Tensor:
        """One batch from its noise to its stored icons, uint8 [icon, y, x, 3]."""
        generators = [noise.generator(SEED, place, attempt=0) for place in self._places]
        starts, draws = noise.start_and_draws(generators, canvas(self._settings).shape, self._settings.steps, DRAWS)
        drawn = draw(
            self._probe,
            objective(self._space, self._targets),
            starts.to(self._device),
            draws.to(self._device),
            self._settings,
            lambda: None,
        )
        return (drawn.pictures.nan_to_num() * 255).round().byte().movedim(1, -1).cpu()
