"""An artist draws one batch of icons and measures it; batches need nothing from each other."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.config.render import RenderSettings
from pipeline.model.network import Network
from pipeline.render import noise
from pipeline.render.directions import Space
from pipeline.render.fidelity import Measured, measure
from pipeline.render.objective import objective
from pipeline.render.optimize import Drawn, draw
from pipeline.render.parameterisation import canvas
from pipeline.render.probe import Probe
from pipeline.render.schedule import cold_start, warm_start
from pipeline.render.views import DRAWS

Floats = NDArray[np.float32]
Pictures = NDArray[np.uint8]
NEXT_START = 4.0  # how much stronger the noise of each further start is


@dataclass(frozen=True)
class Batch:
    """Icons as they are stored, and what they are worth.

    Attributes:
        icon: uint8 [icon, y, x, 3].
        measured: of the stored icons.
        sound: [icon], the icon is finite and was moved by a gradient; any other is no icon.
        score: [icon], its fidelity, centred unless icons are drawn for raw activations.
    """

    icon: NDArray[np.uint8]
    measured: Measured
    sound: NDArray[np.bool_]
    score: Floats


class Artist:
    """Draws icons for one layer; what does not change from batch to batch is prepared once.

    Attributes:
        size: side of the icons, pixels.
    """

    def __init__(
        self, network: Network, layer: str, space: Space, layer_mean: Floats, settings: RenderSettings, seed: int
    ) -> None:
        """Prepare the network and the settings for many batches.

        Args:
            network: on the device where icons shall be drawn.
            layer: whose activations are drawn.
            space: where directions and activations are compared while drawing.
            layer_mean: [channel], for the centred fidelity.
            settings: of the stage.
            seed: of the run.
        """
        self._space, self._settings, self._seed = space, settings, seed
        self.size = settings.size
        self._device = torch.device(settings.device)
        self._layer_mean = torch.from_numpy(layer_mean).to(self._device)
        self._probe = Probe(network, layer, settings.size, settings.dtype)
        self._exact = Probe(network, layer, settings.size, "float32")

    def draw(self, means: Floats, parents: Pictures | None, attempt: int) -> Batch:
        """Draw at most ``batch_size`` icons.

        A smaller batch is filled up with its last icon, so that all batches run alike.

        Args:
            means: raw mean activations of the icons' cells, [icon, channel].
            parents: icons to start from, uint8 [icon, y, x, 3]; None starts all from noise.
            attempt: which start, from 0.
        """
        count = len(means)
        rows = np.minimum(np.arange(self._settings.batch_size), count - 1)
        targets = torch.from_numpy(means[rows]).to(self._device)
        drawn = self._drawn(means[rows], None if parents is None else parents[rows], attempt)
        icons = (drawn.pictures.nan_to_num() * 255).round().byte().movedim(1, -1)
        measured = measure(self._exact, icons, targets, self._layer_mean)
        sound = drawn.sound.cpu().numpy() & np.isfinite(measured.fidelity)
        score = measured.fidelity if self._settings.space == "raw" else measured.fidelity_centred
        return Batch(icons[:count].cpu().numpy(), measured.first(count), sound[:count], score[:count])

    def _drawn(self, means: Floats, parents: Pictures | None, attempt: int) -> Drawn:
        settings, paper = self._settings, canvas(self._settings)
        schedule = cold_start(settings) if parents is None else warm_start(settings)
        generators = [noise.generator(self._seed, mean, attempt) for mean in means]
        starts, draws = noise.start_and_draws(generators, paper.shape, schedule.steps, DRAWS)
        # an icon that got no gradient from its start needs a stronger one
        starts *= settings.initial * NEXT_START**attempt
        if parents is not None:
            starts = paper.parameters(torch.from_numpy(parents).movedim(-1, 1) / 255)
        return draw(
            self._probe,
            objective(self._space, torch.from_numpy(means).to(self._device)),
            starts.to(self._device),
            draws.to(self._device),
            settings,
            schedule,
        )
