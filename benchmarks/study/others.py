"""Two other ways to write down a picture, for the study alone: fixed magnitudes, and an untrained network.

Both are drawn by the engine's objective, views and schedule in a plain loop of their own.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import conv2d, instance_norm, interpolate, relu

from pipeline.config.render import RenderSettings
from pipeline.render.objective import Objective
from pipeline.render.parameterisation import Canvas
from pipeline.render.pixel import Pixel
from pipeline.render.probe import Probe
from pipeline.render.schedule import cold_start
from pipeline.render.views import Views, aimed, look

MACO_RATE = 0.3  # radians that a phase moves in one step, about
PRIOR_RATE = 0.01
WIDTHS = (48, 32, 24, 16)  # channels of the untrained network, from its coarsest map to its finest


def magnitudes(photographs: Tensor, settings: RenderSettings) -> Tensor:
    """Mean magnitudes of the spectra of photographs on the canvas's colour axes, before the sigmoid.

    Args:
        photographs: uint8 [photograph, y, x, 3].
        settings: of the stage.

    Returns:
        [3, y, x // 2 + 1]
    """
    planes = _paper(settings, None).parameters(photographs.movedim(-1, 1).float() / 255)
    found: Tensor = torch.fft.rfft2(planes, norm="ortho").abs().mean(0)
    return found


def maco(
    probe: Probe, objective: Objective, magnitude: Tensor, noise: Tensor, draws: Tensor, settings: RenderSettings
) -> Tensor:
    """Pictures whose magnitudes are those of photographs; only phases are learned (Fel et al. 2023, MaCo).

    Args:
        probe: the network up to the layer.
        objective: of the batch's icons.
        magnitude: see :func:`magnitudes`.
        noise: normal noise, [icon, 3, y, x], whose phases come first.
        draws: uniform numbers [icon, step, 4] for the views.
        settings: of the stage.

    Returns:
        [icon, 3, y, x] in 0..1.
    """
    size, fixed, paper = settings.size, magnitude.to(draws.device), _paper(settings, None)
    phases = torch.fft.rfft2(noise.to(draws.device)).angle()
    # the mean of a photograph is no matter of phase
    phases[..., 0, 0] = torch.where(phases[..., 0, 0].abs() > 1, torch.pi, 0.0)

    def picture() -> Tensor:
        spectra = torch.polar(fixed.expand_as(phases), phases)
        return paper.picture(torch.fft.irfft2(spectra, s=(size, size), norm="ortho"))

    return _drawn(probe, objective, picture, [phases], draws, settings, MACO_RATE)


def prior(probe: Probe, objective: Objective, seed: int, draws: Tensor, settings: RenderSettings) -> Tensor:
    """Pictures as the outputs of small untrained networks, one for each icon (Ulyanov et al. 2018, deep image prior).

    Each takes fixed noise through four convolutions with an enlargement before each but the first; its output is
    coloured and given its contrast as the engine's planes are.

    Args:
        probe: the network up to the layer.
        objective: of the batch's icons.
        seed: of the networks' weights and their noise.
        draws: uniform numbers [icon, step, 4] for the views.
        settings: of the stage.

    Returns:
        [icon, 3, y, x] in 0..1.
    """
    icons, size = len(draws), settings.size
    generator = torch.Generator().manual_seed(seed)
    paper = _paper(settings, settings.contrast)
    noise = torch.randn(1, WIDTHS[0], size // 8, size // 8, generator=generator).repeat(1, icons, 1, 1).to(draws.device)
    weights = []
    for before, after in zip(WIDTHS, (*WIDTHS[1:], 3), strict=True):
        one = torch.randn(after, before, 3, 3, generator=generator) * (2 / (9 * before)) ** 0.5
        weights.append(one.repeat(icons, 1, 1, 1, 1).to(draws.device))

    def picture() -> Tensor:
        values = noise
        for index, weight in enumerate(weights):
            values = conv2d(values, weight.flatten(0, 1), padding=1, groups=icons)
            if index < len(weights) - 1:
                side = size * 2 ** (index + 1) // 8
                values = relu(instance_norm(values))
                values = interpolate(values, (side, side), mode="bilinear", align_corners=False)
        return paper.picture(values.view(icons, 3, size, size))

    return _drawn(probe, objective, picture, weights, draws, settings, PRIOR_RATE)


def _paper(settings: RenderSettings, contrast: float | None) -> Canvas:
    return Canvas(Pixel(settings.size), settings.decorrelate, settings.chroma, contrast)


def _drawn(
    probe: Probe,
    objective: Objective,
    picture: Callable[[], Tensor],
    parameters: Sequence[Tensor],
    draws: Tensor,
    settings: RenderSettings,
    rate: float,
) -> Tensor:
    """The engine's loop without its regularisers, for parameters [icon, ...] of any kind."""
    schedule = cold_start(settings)
    matrices = aimed(Views(settings.jitter, settings.scale, settings.rotation).matrices(draws), probe.target)
    for one in parameters:
        one.requires_grad_(True)
    adam = torch.optim.Adam(parameters, betas=settings.betas)
    for step in range(schedule.steps):
        viewed = look(picture(), matrices[:, step], probe.size)
        seen = probe(viewed, schedule.redirect_at(step))
        pull = objective.pull(seen, schedule.warmth_at(step) * settings.power)
        for one, gradient in zip(parameters, torch.autograd.grad(seen, parameters, -pull), strict=True):
            length = gradient.flatten(1).norm(dim=1).clamp(min=1e-30)
            one.grad = gradient / length.view(-1, *[1] * (gradient.ndim - 1))
        adam.param_groups[0]["lr"] = rate * schedule.rate_at(step) / schedule.learning_rate
        adam.step()
    with torch.no_grad():
        return picture()
