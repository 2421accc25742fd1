from itertools import product

import pytest
import torch
from torch import Tensor

from pipeline.config.render import RenderSettings
from pipeline.render.contrast import root_mean_square
from pipeline.render.fourier import Fourier
from pipeline.render.parameterisation import Canvas, Parameterisation, canvas
from pipeline.render.pixel import Pixel

KINDS = list(product(["fourier", "pixel"], [True, False], [None, 0.75, 1.5]))
SIDE = 20


def photograph() -> Tensor:
    """A picture like a photograph [1, 3, 20, 20]: sky, lawn, a red disc with a sharp edge, and some grain."""
    y, x = torch.meshgrid(torch.linspace(0, 1, SIDE), torch.linspace(0, 1, SIDE), indexing="ij")
    picture = torch.stack([0.3 + 0.3 * x, 0.4 + 0.3 * y, 0.85 - 0.5 * y])
    disc = (x - 0.5) ** 2 + (y - 0.45) ** 2 < 0.06
    picture[:, disc] = torch.tensor([0.85, 0.2, 0.15])[:, None]
    grain = 0.03 * torch.randn(3, SIDE, SIDE, generator=torch.Generator().manual_seed(7))
    return (picture + grain).clamp(0.02, 0.98)[None]


def of_contrast(pictures: Tensor, contrast: float | None) -> Tensor:
    """Pictures brought to a contrast, which is what a canvas of that contrast can show of them."""
    values = torch.logit(pictures.clamp(1e-4, 1 - 1e-4))
    return torch.sigmoid(values * contrast / root_mean_square(values)) if contrast else pictures


def paper(kind: str, decorrelate: bool, contrast: float | None, size: int = SIDE) -> Canvas:
    """The canvas of some settings."""
    asked = {"size": size, "parameterisation": kind, "decorrelate": decorrelate, "contrast": contrast}
    return canvas(RenderSettings.model_validate(asked))


@pytest.mark.parametrize(("kind", "decorrelate", "contrast"), KINDS)
def test_it_can_fit_a_photograph(kind: str, decorrelate: bool, contrast: float | None) -> None:
    """By gradient descent from noise, every way to write down a picture comes to this one, to one part in fifty."""
    canvas, wanted = paper(kind, decorrelate, contrast), of_contrast(photograph(), contrast)
    parameters = torch.randn(1, *canvas.shape, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    adam = torch.optim.Adam([parameters], lr=0.1)
    before = (canvas.picture(parameters) - wanted).abs().mean()
    for step in range(250):
        adam.param_groups[0]["lr"] = 0.2 * (1 - step / 250)
        adam.zero_grad()
        (canvas.picture(parameters) - wanted).square().sum().backward()  # type: ignore[no-untyped-call]  # torch's
        adam.step()
    after = (canvas.picture(parameters) - wanted).abs().mean()
    assert before > 0.1
    assert after < 0.02


@pytest.mark.parametrize(("kind", "decorrelate", "contrast"), KINDS)
@pytest.mark.parametrize("size", [SIDE, 17])
def test_there_and_back_is_the_identity(kind: str, decorrelate: bool, contrast: float | None, size: int) -> None:
    """A canvas's own pictures, stored in 8 bits, come back as they were stored, by at most one level."""
    canvas = paper(kind, decorrelate, contrast, size)
    noise = torch.randn(3, *canvas.shape, generator=torch.Generator().manual_seed(0))
    pictures = (canvas.picture(noise) * 255).round() / 255
    again = canvas.picture(canvas.parameters(pictures))
    assert ((again - pictures).abs() * 255).max() < 1
    assert ((again - pictures.flip(0)).abs() * 255).mean() > 5


@pytest.mark.parametrize(("kind", "decorrelate", "contrast"), KINDS)
def test_a_photograph_comes_back_with_the_given_contrast(kind: str, decorrelate: bool, contrast: float | None) -> None:
    """Any picture at once, without descent: as it is where the contrast is free, else brought to the given one."""
    canvas = paper(kind, decorrelate, contrast)
    again = canvas.picture(canvas.parameters(photograph()))
    torch.testing.assert_close(again, of_contrast(photograph(), contrast), atol=2e-4, rtol=0)


@pytest.mark.parametrize("kind", ["fourier", "pixel"])
def test_black_and_white_are_finite(kind: str) -> None:
    """Pictures of bare black and white have parameters, and come back nearly black and white."""
    board = ((torch.arange(SIDE)[:, None] // 5 + torch.arange(SIDE) // 5) % 2).float().expand(1, 3, SIDE, SIDE)
    canvas = paper(kind, decorrelate=True, contrast=None)
    parameters = canvas.parameters(board)
    assert parameters.isfinite().all()
    torch.testing.assert_close(canvas.picture(parameters), board, atol=0.003, rtol=0)


@pytest.mark.parametrize(("kind", "decorrelate"), [*product(["fourier", "pixel"], [True, False])])
def test_parameters_of_a_picture_are_as_long_as_noise(kind: str, decorrelate: bool) -> None:
    """With a given contrast, faint and strong pictures alike start where a learning rate means what it does for noise.

    For noise itself the values come back: only their common length was lost to the contrast.
    """
    canvas = paper(kind, decorrelate, 0.75, size=32)
    noise = torch.randn(20, *canvas.shape, generator=torch.Generator().manual_seed(0))
    pictures = canvas.picture(noise)
    faint = torch.sigmoid(0.3 * torch.logit(pictures))
    for given in (pictures, faint):
        planes = canvas.parameterisation.planes(canvas.parameters(given))
        own = canvas.parameterisation.planes(noise)
        lengths = root_mean_square(planes) / root_mean_square(own)
        assert lengths.mean().item() == pytest.approx(1, abs=0.25)
        torch.testing.assert_close(planes / lengths, own, atol=0.02, rtol=0.02)


@pytest.mark.parametrize("kind", [Pixel(24), Fourier(24, 0.0), Fourier(24, 1.0), Fourier(31, 1.6)])
def test_unit_parameters_give_unit_planes(kind: Parameterisation) -> None:
    """The deviation of the planes is that of the parameters, whatever the kind, the size and the decay."""
    noise = torch.randn(400, *kind.shape, generator=torch.Generator().manual_seed(1))
    assert kind.planes(noise).square().mean().sqrt() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("kind", [Pixel(24), Fourier(24, 0.0), Fourier(24, 1.6), Fourier(31, 1.6)])
def test_planes_have_parameters_that_give_them(kind: Parameterisation) -> None:
    """Planes to parameters to planes is the identity, for even and odd sizes."""
    size = kind.planes(torch.zeros(1, *kind.shape)).shape[-1]
    planes = torch.randn(4, 3, size, size, generator=torch.Generator().manual_seed(1))
    parameters = kind.parameters(planes)
    assert parameters.shape[1:] == kind.shape
    torch.testing.assert_close(kind.planes(parameters), planes, atol=1e-4, rtol=1e-4)
    assert (kind.planes(1.1 * parameters) - planes).abs().max() > 0.01


def test_a_steep_decay_gives_smooth_pictures() -> None:
    """The steeper the spectrum falls, the less neighbouring pixels differ."""
    noise = torch.randn(20, *Fourier(32, 0).shape, generator=torch.Generator().manual_seed(2))
    steps = [Fourier(32, decay).planes(noise).diff(dim=-1).abs().mean() for decay in (0.0, 1.0, 2.0)]
    assert steps[0] > 1.5 * steps[1] > 2 * steps[2]
