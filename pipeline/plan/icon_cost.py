"""What icons take on this machine, measured with the renderer itself."""

import numpy as np

from pipeline.model.network import Network
from pipeline.params import Params
from pipeline.plan.inputs import IconCost
from pipeline.plan.stopwatch import Clock, seconds_of, timed_batch
from pipeline.render.artist import Artist
from pipeline.render.config import RenderSettings
from pipeline.render.directions import Space
from pipeline.render.memory import bytes_per_icon, free_bytes
from pipeline.render.parameterisation import canvas
from pipeline.render.probe import Probe

__all__ = ["free_bytes", "measure_icon"]

FEW, MORE = 1, 5  # gradient steps; the difference leaves out what an icon needs once


def measure_icon(network: Network, layer: str, params: Params, with_time: bool, clock: Clock) -> IconCost:
    """Memory of one icon of a layer, and its time if ``with_time`` (else zero)."""
    settings = params.render.for_layer(layer)
    step, other = _step_and_other(network, layer, settings, clock) if with_time else (0.0, 0.0)
    images, features = canvas(settings), Probe(network, layer, settings.size, settings.dtype)
    memory = bytes_per_icon(lambda drawn: features(images.picture(drawn)).sum(1), images.shape, settings.device)
    return IconCost(step, other, memory)


def _step_and_other(network: Network, layer: str, settings: RenderSettings, clock: Clock) -> tuple[float, float]:
    """Seconds of one icon for each of its gradient steps, and for everything else."""
    mean = np.zeros(network.layers[layer].channels, np.float32)

    def render(count: int, steps: int) -> None:
        changed = settings.model_copy(update={"steps": steps, "batch_size": count})
        targets = np.random.default_rng(0).random((count, len(mean)), dtype=np.float32)
        Artist(network, layer, Space(mean, None), mean, changed, 0).draw(targets, None, 0)

    size, more = timed_batch(lambda count: render(count, MORE), settings.batch_size, clock)
    few = seconds_of(lambda count: render(count, FEW), size, clock)
    # another process may make the shorter one take longer; then all of the time counts as that of steps
    step = (more - few) / (MORE - FEW) if more > few else more / MORE
    return step / size, max(few - FEW * step, 0.0) / size
