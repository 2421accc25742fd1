import pytest
import torch
from torch import Tensor

from pipeline.render.adam import Adam
from pipeline.render.config import RenderSettings
from pipeline.render.fourier import Fourier
from pipeline.render.parameterisation import Parameterisation, canvas
from pipeline.render.pixel import Pixel


def small_picture() -> Tensor:
    """A colour picture [1, 3, 20, 20] with a sky, a lawn and a red disc with a sharp edge."""
    y, x = torch.meshgrid(torch.linspace(0, 1, 20), torch.linspace(0, 1, 20), indexing="ij")
    picture = torch.stack([0.3 + 0.3 * x, 0.4 + 0.3 * y, 0.85 - 0.5 * y])
    disc = (x - 0.5) ** 2 + (y - 0.45) ** 2 < 0.06
    picture[:, disc] = torch.tensor([0.85, 0.2, 0.15])[:, None]
    return picture[None]


@pytest.mark.parametrize("kind", ["fourier", "pixel"])
@pytest.mark.parametrize("decorrelate", [True, False])
def test_it_can_fit_a_picture(kind: str, decorrelate: bool) -> None:
    """Every way to write down a picture can write down this one, to one part in fifty."""
    settings = RenderSettings.model_validate({"size": 20, "parameterisation": kind, "decorrelate": decorrelate})
    paper, wanted = canvas(settings), small_picture()
    parameters = 0.01 * torch.randn(1, *paper.shape, generator=torch.Generator().manual_seed(0))
    adam = Adam(parameters)
    before = (paper.picture(parameters) - wanted).abs().mean()
    for step in range(300):
        parameters.requires_grad_(True)
        error = (paper.picture(parameters) - wanted).square().sum()
        (gradient,) = torch.autograd.grad(error, parameters)
        parameters = adam.step(parameters.detach(), gradient, 0.1 * (1 - step / 300))
    after = (paper.picture(parameters) - wanted).abs().mean()
    assert before > 0.1
    assert after < 0.02


@pytest.mark.parametrize("kind", [Pixel(24), Fourier(24, 0.0), Fourier(24, 1.0), Fourier(31, 1.5)])
def test_unit_parameters_give_unit_planes(kind: Parameterisation) -> None:
    """The deviation of the planes is that of the parameters, whatever the kind, the size and the decay."""
    noise = torch.randn(400, *kind.shape, generator=torch.Generator().manual_seed(1))
    assert kind.planes(noise).square().mean().sqrt() == pytest.approx(1, abs=0.05)


def test_a_steep_decay_gives_smooth_pictures() -> None:
    """The steeper the spectrum falls, the less neighbouring pixels differ."""
    noise = torch.randn(20, *Fourier(32, 0).shape, generator=torch.Generator().manual_seed(2))
    steps = [Fourier(32, decay).planes(noise).diff(dim=-1).abs().mean() for decay in (0.0, 1.0, 2.0)]
    assert steps[0] > 1.5 * steps[1] > 2 * steps[2]
