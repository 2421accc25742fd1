"""Icons as the engine renders them: their objective, their measure, and the settings of the stage."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.config.render import RenderSettings
from pipeline.featurevis.activation_space import ActivationSpace
from pipeline.featurevis.composition import Objective
from pipeline.featurevis.engine_settings import (
    cold_config,
    parameterization,
    random_transform,
    regularizers,
    warm_config,
)
from pipeline.featurevis.exemplar_statistics import StatisticsPrior
from pipeline.featurevis.objectives import direction
from pipeline.featurevis.renderer import RendererSpec
from pipeline.model.network import Network
from pipeline.render.fidelity import FidelityMeasure


@dataclass(frozen=True, eq=False)
class CellDirections:
    """Icons for the directions of grid cells; see :class:`pipeline.featurevis.renderer.Purpose`.

    Attributes:
        layer: whose activations the cells are means of.
        space: where directions and activations are compared.
        layer_mean: [channel], for the centered fidelity.
        cosine_power: of the objective.
        prior: pull towards the feature statistics of the cell's exemplars; None for none.
    """

    layer: str
    space: ActivationSpace
    layer_mean: NDArray[np.float32]
    cosine_power: float
    prior: StatisticsPrior | None = None

    @property
    def layers(self) -> Sequence[str]:
        """The cells' layer, and those of the prior."""
        return (self.layer, *(self.prior.channels if self.prior else ()))

    @property
    def center_layer(self) -> str | None:
        """The cells' layer: icons are centered where its central position looks."""
        return self.layer

    def objective(self, targets: Tensor) -> Objective:
        """Of a batch, for targets [icon, channel + statistic]: raw mean activations, and the prior's statistics."""
        means, statistics = targets[:, : len(self.layer_mean)], targets[:, len(self.layer_mean) :]
        towards = self.direction(means)
        return towards if self.prior is None else towards + self.prior.objective(statistics)

    def direction(self, means: Tensor) -> Objective:
        """Towards raw mean activations [icon, channel]."""
        return direction(self.layer, means, self.space, self.cosine_power)

    def measure(self, network: Network, size: tuple[int, int]) -> FidelityMeasure:
        """Fidelity, raw and centered."""
        device = next(network.module.parameters()).device
        return FidelityMeasure(network, self.layer, size, torch.from_numpy(self.layer_mean).to(device))


def renderer_spec(
    settings: RenderSettings,
    layer: str,
    space: ActivationSpace,
    layer_mean: NDArray[np.float32],
    seed: int,
    model: Path = Path(),
    prior: StatisticsPrior | None = None,
) -> RendererSpec:
    """The renderer of one layer's icons.

    Args:
        settings: of the stage, with the size of this layer's icons.
        layer: dotted module path.
        space: where directions and activations are compared.
        layer_mean: [channel].
        seed: of the run.
        model: folder of the saved network; only workers read it.
        prior: see :class:`CellDirections`.
    """
    return RendererSpec(
        model=model,
        purpose=CellDirections(layer, space, layer_mean, settings.cosine_power, prior),
        parameterization=parameterization(settings),
        transform=random_transform(settings),
        regularizers=regularizers(settings),
        cold=cold_config(settings),
        warm=warm_config(settings),
        init_std=settings.init_std,
        batch_size=settings.batch_size,
        seed=seed,
        device=settings.device,
        dtype=settings.dtype,
        size_setting="render.size",
    )
