"""The loop that draws a batch of icons by gradient ascent."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.render.adam import Adam
from pipeline.render.config import RenderSettings
from pipeline.render.objective import Objective
from pipeline.render.parameterisation import canvas
from pipeline.render.probe import Probe
from pipeline.render.regularizers import penalties, total
from pipeline.render.schedule import rate_at, warmth_at
from pipeline.render.views import Views, aimed, look

StepDone = Callable[[], None]


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
    probe: Probe, objective: Objective, starts: Tensor, draws: Tensor, settings: RenderSettings, done: StepDone
) -> Drawn:
    """Draw a batch of icons.

    Icons share nothing but the passes through the network: each has its own start, views, gradient and step sizes.

    Args:
        probe: the network up to the layer.
        objective: of the batch's icons.
        starts: normal noise [icon, *parameters].
        draws: uniform numbers [icon, step, 4] for the views.
        settings: of the stage.
        done: called after each step.
    """
    paper, views, weights = (
        canvas(settings),
        Views(settings.jitter, settings.scale, settings.rotation),
        penalties(settings),
    )
    matrices = aimed(views.matrices(draws), probe.target)
    parameters = settings.initial * starts
    moved = torch.zeros(len(starts), dtype=torch.bool, device=starts.device)
    adam = Adam(parameters)
    for step in range(settings.steps):
        parameters.requires_grad_(True)
        pictures = paper.picture(parameters)
        viewed = look(pictures, matrices[:, step], probe.size)
        warmth = warmth_at(step, settings)
        gain = objective.pulls(probe(viewed), warmth * settings.power)
        loss = (warmth * total(pictures, weights) - gain).sum()
        gradient, from_network = torch.autograd.grad(loss, (parameters, viewed))
        moved |= from_network.flatten(1).any(dim=1)
        length = gradient.flatten(1).norm(dim=1)
        # The gradient's length changes manifold while an icon takes shape. Adam remembers lengths; it shall remember
        # directions only.
        unit = gradient / length.clamp(min=torch.finfo(length.dtype).tiny).view(-1, *[1] * (gradient.ndim - 1))
        parameters = adam.step(parameters.detach(), unit, rate_at(step, settings))
        done()
    pictures = paper.picture(parameters)
    return Drawn(pictures, moved & pictures.isfinite().all(dim=(1, 2, 3)))
