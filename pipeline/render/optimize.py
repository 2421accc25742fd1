"""The loop that draws a batch of icons by gradient ascent."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.config.render import RenderSettings
from pipeline.render.objective import Objective
from pipeline.render.parameterisation import canvas
from pipeline.render.probe import Probe
from pipeline.render.regularizers import penalties, total
from pipeline.render.schedule import Schedule
from pipeline.render.views import Views, aimed, look

# penalties change slowly: asked at every fourth step, and then four times as loud, they do the same (lazy
# regularisation, Karras et al. 2020)
PENALISED_EVERY = 4


@dataclass(frozen=True)
class Drawn:
    """A drawn batch.

    Attributes:
        pictures: [icon, 3, y, x] in 0..1.
        sound: [icon], the picture is finite and the network gave it a gradient; any other is no icon.
    """

    pictures: Tensor
    sound: Tensor


def draw(
    probe: Probe,
    objective: Objective,
    starts: Tensor,
    draws: Tensor,
    settings: RenderSettings,
    schedule: Schedule,
) -> Drawn:
    """Draw a batch of icons.

    Icons share nothing but the passes through the network: each has its own start, views, gradient and step sizes.

    Args:
        probe: the network up to the layer.
        objective: of the batch's icons.
        starts: parameters to start from, [icon, *parameters].
        draws: uniform numbers [icon, step, 4] for the views.
        settings: of the stage.
        schedule: how many steps, and what changes over them.
    """
    paper, weights = canvas(settings), penalties(settings)
    matrices = aimed(Views(settings.jitter, settings.scale, settings.rotation).matrices(draws), probe.target)
    parameters = starts.clone().requires_grad_(True)
    moved, all_moved = torch.zeros(len(starts), dtype=torch.bool, device=starts.device), False
    # one pass over memory; and it works value by value, so that no icon's step depends on another's
    adam = torch.optim.Adam([parameters], betas=settings.betas, fused=True)
    for step in range(schedule.steps):
        pictures = paper.picture(parameters)
        viewed = look(pictures, matrices[:, step], probe.size)
        warmth = schedule.warmth_at(step)
        seen = probe(viewed, schedule.redirect_at(step))
        ends, down = [seen], [-objective.pull(seen, warmth * settings.power)]
        if weights and step % PENALISED_EVERY == 0:
            ends.append(total(pictures, weights))
            down.append(torch.full_like(ends[-1], warmth * PENALISED_EVERY))
        gradient, *from_network = torch.autograd.grad(ends, [parameters] if all_moved else [parameters, viewed], down)
        if from_network:
            moved |= from_network[0].flatten(1).any(dim=1)
            all_moved = bool(moved.all())
        parameters.grad = _unit(gradient)
        adam.param_groups[0]["lr"] = schedule.rate_at(step)
        adam.step()
    pictures = paper.picture(parameters.detach())
    return Drawn(pictures, moved & pictures.isfinite().all(dim=(1, 2, 3)))


def _unit(gradient: Tensor) -> Tensor:
    """The gradient's direction, [icon, ...].

    Its length changes manifold while an icon takes shape. Adam remembers lengths; it shall remember directions only.
    """
    length: Tensor = gradient.flatten(1).norm(dim=1).clamp(min=torch.finfo(gradient.dtype).tiny)
    return gradient / length.view(-1, *[1] * (gradient.ndim - 1))
