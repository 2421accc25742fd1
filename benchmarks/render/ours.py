"""Our icons: the renderer of the stage ``render`` without caching and measuring."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.render.cells import Cells
from benchmarks.render.prior import prior_of
from pipeline.config.render import RenderSettings
from pipeline.featurevis.activation_space import ActivationSpace, activation_space
from pipeline.featurevis.renderer import BatchRenderer, to_uint8
from pipeline.featurevis.step_filters import StepFilters
from pipeline.render.specification import renderer_spec

DType = Literal["float32", "bfloat16"]
Floats = NDArray[np.float32]
SEED = 0

# how our side renders: as configured, or tuned for raw cosine, which torch-lucent maximizes and the target is given in
VARIANTS: dict[str, dict[str, Any]] = {
    "as configured": {},
    "tuned for raw fidelity": {
        "space": "raw",
        "contrast": 0.4,
        "cosine_power": 8.0,
        "learning_rate": 0.35,
        "statistics": 0.0,
    },
}


@dataclass(frozen=True)
class Recipe:
    """How icons are rendered: the configured settings but for these.

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


class IconRenderer:
    """Renders batches of icons for one layer as the stage ``render`` does, without measuring them."""

    def __init__(
        self,
        cells: Cells,
        settings: RenderSettings,
        space: ActivationSpace | None = None,
        filters: StepFilters | None = None,
    ) -> None:
        """Prepare all that the stage prepares once for a layer.

        Args:
            cells: that icons are rendered for.
            settings: of the stage, with the size of the layer's icons.
            space: where activations are compared; None takes the one that the settings name.
            filters: of gradients and images between steps, which the stage has none of.
        """
        self.settings = settings.model_copy(update={"device": str(cells.device)})
        space = space or activation_space(settings.space, cells.layer_mean)
        prior, statistics = prior_of(cells, self.settings)
        self._targets = np.concatenate([cells.mean, statistics], 1)
        spec = renderer_spec(self.settings, cells.layer, space, cells.layer_mean, SEED, prior=prior)
        self._renderer = BatchRenderer(cells.network, replace(spec, filters=filters))

    def render(self, parents: Tensor | None = None, *, same_noise: bool = False) -> Tensor:
        """All cells in one batch, from the start to the stored icons, uint8 [icon, y, x, 3].

        Args:
            parents: icons to start from, uint8 [icon, y, x, 3]; None starts all from noise.
            same_noise: all icons get the first one's random numbers.
        """
        return self._rendered(self._targets, parents, same_noise=same_noise)

    def render_all(self, parents: Tensor | None = None) -> Tensor:
        """The same in batches of the settings' size, the last one filled up as the stage does.

        Args:
            parents: icons to start from, uint8 [icon, y, x, 3]; None starts all from noise.
        """
        batch, count, icons = self.settings.batch_size, len(self._targets), []
        for first in range(0, count, batch):
            rows = np.minimum(np.arange(first, first + batch), count - 1)
            icons.append(
                self._rendered(self._targets[rows], None if parents is None else parents[torch.from_numpy(rows)])
            )
        return torch.cat(icons)[:count]

    def _rendered(self, targets: Floats, parents: Tensor | None, *, same_noise: bool = False) -> Tensor:
        given = None if parents is None else parents.numpy()
        return to_uint8(self._renderer.optimize(targets, given, same_noise=same_noise).images).cpu()


class Ours:
    """A renderer and the cells of one batch."""

    def __init__(self, cells: Cells, configured: RenderSettings, recipe: Recipe) -> None:
        """Prepare all that the stage prepares once for a layer."""
        self._renderer = IconRenderer(cells, recipe.settings(configured))

    def render(self) -> Tensor:
        """One batch from its noise to its stored icons, uint8 [icon, y, x, 3]."""
        return self._renderer.render()
