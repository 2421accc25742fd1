"""Drawing a few icons of a scene, as the tests need it."""

import torch
from torch import Tensor, nn

from pipeline.config.render import RenderSettings
from pipeline.render.directions import Space, space
from pipeline.render.noise import generator, start_and_draws
from pipeline.render.objective import objective
from pipeline.render.optimize import Drawn, draw
from pipeline.render.parameterisation import canvas
from pipeline.render.probe import Probe
from pipeline.render.schedule import cold_start
from pipeline.render.views import DRAWS, Views, aimed, look
from tests.render.scene import Scene


def probe(scene: Scene, settings: RenderSettings) -> Probe:
    """The scene's network up to its layer."""
    return Probe(scene.network, scene.layer, settings.size, settings.dtype)


def drawn(scene: Scene, settings: RenderSettings, rows: list[int], found: Space | None = None) -> Drawn:
    """The scene's icons of these rows, drawn from noise in one batch."""
    generators = [generator(0, scene.means[row], 0) for row in rows]
    starts, draws = start_and_draws(generators, canvas(settings).shape, settings.steps, DRAWS)
    starts *= settings.initial
    target = objective(found or space("centred", scene.mean), torch.from_numpy(scene.means[rows]))
    return draw(probe(scene, settings), target, starts, draws, settings, cold_start(settings))


def seen(probe: Probe, pictures: Tensor) -> Tensor:
    """What a probe says of pictures [icon, 3, y, x] without shift, zoom or turn."""
    still = Views(jitter=0.0, scale=(1.0, 1.0), rotation=0.0).matrices(torch.zeros(len(pictures), DRAWS))
    with torch.no_grad():
        return probe(look(pictures, aimed(still, probe.target), probe.size))


def stored(pictures: Tensor) -> Tensor:
    """Pictures [icon, 3, y, x] in 0..1 as they are stored, uint8 [icon, y, x, 3]."""
    return (pictures * 255).round().byte().movedim(1, -1)


def hooks(network: nn.Module) -> int:
    """How many hooks hang on a network: on its modules, forward and backward, and on its parameters."""
    names = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    on_modules = sum(len(getattr(part, name)) for part in network.modules() for name in names)
    return on_modules + sum(len(parameter._backward_hooks or ()) for parameter in network.parameters())
