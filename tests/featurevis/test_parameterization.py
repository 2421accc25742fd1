from itertools import product
from typing import Literal

import pytest
import torch
from torch import Tensor

from pipeline.featurevis.parameterization import (
    Basis,
    FourierBasis,
    ImageParameterization,
    PixelBasis,
    color_correlation,
    image_parameterization,
    root_mean_square,
    sigmoid_with_contrast,
)

Kind = Literal["fourier", "pixel"]
KINDS: list[tuple[Kind, bool, float | None]] = list(product(["fourier", "pixel"], [True, False], [None, 0.75, 1.5]))
SIDE = 20


def photograph() -> Tensor:
    """A image like a photograph [1, 3, 20, 20]: sky, lawn, a red disc with a sharp edge, and some grain."""
    y, x = torch.meshgrid(torch.linspace(0, 1, SIDE), torch.linspace(0, 1, SIDE), indexing="ij")
    image = torch.stack([0.3 + 0.3 * x, 0.4 + 0.3 * y, 0.85 - 0.5 * y])
    disc = (x - 0.5) ** 2 + (y - 0.45) ** 2 < 0.06
    image[:, disc] = torch.tensor([0.85, 0.2, 0.15])[:, None]
    grain = 0.03 * torch.randn(3, SIDE, SIDE, generator=torch.Generator().manual_seed(7))
    return (image + grain).clamp(0.02, 0.98)[None]


def of_contrast(images: Tensor, contrast: float | None) -> Tensor:
    """Images brought to a contrast, which is what a parameterization of that contrast can show of them."""
    values = torch.logit(images.clamp(1e-4, 1 - 1e-4))
    return torch.sigmoid(values * contrast / root_mean_square(values)) if contrast else images


def of_kind(kind: Kind, decorrelate: bool, contrast: float | None, size: int = SIDE) -> ImageParameterization:
    """The parameterization of the stage's defaults, but for these."""
    return image_parameterization(
        kind, (size, size), decay_power=1.6, decorrelate=decorrelate, chroma=1.5, contrast=contrast
    )


@pytest.mark.parametrize(("kind", "decorrelate", "contrast"), KINDS)
def test_it_can_fit_a_photograph(kind: Kind, decorrelate: bool, contrast: float | None) -> None:
    """By gradient descent from noise, every parameterization reaches this one, to one part in fifty."""
    parameterization, wanted = of_kind(kind, decorrelate, contrast), of_contrast(photograph(), contrast)
    parameters = torch.randn(1, *parameterization.shape, generator=torch.Generator().manual_seed(0)).requires_grad_(
        True
    )
    adam = torch.optim.Adam([parameters], lr=0.1)
    before = (parameterization.decode(parameters) - wanted).abs().mean()
    for step in range(250):
        adam.param_groups[0]["lr"] = 0.2 * (1 - step / 250)
        adam.zero_grad()
        (parameterization.decode(parameters) - wanted).square().sum().backward()  # type: ignore[no-untyped-call]  # torch's
        adam.step()
    after = (parameterization.decode(parameters) - wanted).abs().mean()
    assert before > 0.1
    assert after < 0.02


@pytest.mark.parametrize(("kind", "decorrelate", "contrast"), KINDS)
@pytest.mark.parametrize("size", [SIDE, 17])
def test_there_and_back_is_the_identity(kind: Kind, decorrelate: bool, contrast: float | None, size: int) -> None:
    """A parameterization's own images, stored in 8 bits, come back as they were stored, by at most one level."""
    parameterization = of_kind(kind, decorrelate, contrast, size)
    noise = torch.randn(3, *parameterization.shape, generator=torch.Generator().manual_seed(0))
    images = (parameterization.decode(noise) * 255).round() / 255
    again = parameterization.decode(parameterization.encode(images))
    assert ((again - images).abs() * 255).max() < 1
    assert ((again - images.flip(0)).abs() * 255).mean() > 5


@pytest.mark.parametrize(("kind", "decorrelate", "contrast"), KINDS)
def test_a_photograph_comes_back_with_the_given_contrast(kind: Kind, decorrelate: bool, contrast: float | None) -> None:
    """Any image at once, without descent: as it is where the contrast is free, else brought to the given one."""
    parameterization = of_kind(kind, decorrelate, contrast)
    again = parameterization.decode(parameterization.encode(photograph()))
    torch.testing.assert_close(again, of_contrast(photograph(), contrast), atol=2e-4, rtol=0)


@pytest.mark.parametrize("kind", ["fourier", "pixel"])
def test_black_and_white_are_finite(kind: Kind) -> None:
    """Images of bare black and white have parameters, and come back nearly black and white."""
    board = ((torch.arange(SIDE)[:, None] // 5 + torch.arange(SIDE) // 5) % 2).float().expand(1, 3, SIDE, SIDE)
    parameterization = of_kind(kind, decorrelate=True, contrast=None)
    parameters = parameterization.encode(board)
    assert parameters.isfinite().all()
    torch.testing.assert_close(parameterization.decode(parameters), board, atol=0.003, rtol=0)


@pytest.mark.parametrize(("kind", "decorrelate"), [*product(["fourier", "pixel"], [True, False])])
def test_parameters_of_an_image_are_as_long_as_noise(kind: Kind, decorrelate: bool) -> None:
    """With a given contrast, faint and strong images alike start where a learning rate means what it does for noise.

    For noise itself the values come back: only their common length was lost to the contrast.
    """
    parameterization = of_kind(kind, decorrelate, 0.75, size=32)
    noise = torch.randn(20, *parameterization.shape, generator=torch.Generator().manual_seed(0))
    images = parameterization.decode(noise)
    faint = torch.sigmoid(0.3 * torch.logit(images))
    for given in (images, faint):
        planes = parameterization.basis.to_planes(parameterization.encode(given))
        own = parameterization.basis.to_planes(noise)
        lengths = root_mean_square(planes) / root_mean_square(own)
        assert lengths.mean().item() == pytest.approx(1, abs=0.25)
        torch.testing.assert_close(planes / lengths, own, atol=0.02, rtol=0.02)


@pytest.mark.parametrize(
    "kind", [PixelBasis(24, 24), FourierBasis(24, 24, 0.0), FourierBasis(24, 24, 1.0, 0.8), FourierBasis(31, 31, 1.6)]
)
def test_unit_parameters_give_unit_planes(kind: Basis) -> None:
    """The deviation of the planes is that of the parameters, whatever the kind, the size and the decay."""
    noise = torch.randn(400, *kind.shape, generator=torch.Generator().manual_seed(1))
    assert kind.to_planes(noise).square().mean().sqrt() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    "kind", [PixelBasis(24, 24), FourierBasis(24, 24, 0.0), FourierBasis(24, 24, 1.6, 0.5), FourierBasis(31, 31, 1.6)]
)
def test_planes_have_parameters_that_give_them(kind: Basis) -> None:
    """Planes to parameters to planes is the identity, for even and odd sizes."""
    size = kind.to_planes(torch.zeros(1, *kind.shape)).shape[-1]
    planes = torch.randn(4, 3, size, size, generator=torch.Generator().manual_seed(1))
    parameters = kind.to_parameters(planes)
    assert parameters.shape[1:] == kind.shape
    torch.testing.assert_close(kind.to_planes(parameters), planes, atol=1e-4, rtol=1e-4)
    assert (kind.to_planes(1.1 * parameters) - planes).abs().max() > 0.01


def test_a_steep_decay_gives_smooth_images() -> None:
    """The steeper the spectrum falls, the less neighboring pixels differ."""
    noise = torch.randn(20, *FourierBasis(32, 32, 0).shape, generator=torch.Generator().manual_seed(2))
    steps = [FourierBasis(32, 32, decay).to_planes(noise).diff(dim=-1).abs().mean() for decay in (0.0, 1.0, 2.0)]
    assert steps[0] > 1.5 * steps[1] > 2 * steps[2]


def test_chroma_decay_smooths_color_and_leaves_lightness() -> None:
    """It is as if the spectra of the two color axes alone had the steeper decay; without color axes it does nothing."""
    noise = torch.randn(20, *FourierBasis(32, 32, 0).shape, generator=torch.Generator().manual_seed(2))
    flat, both, steep = (FourierBasis(32, 32, *decays).to_planes(noise) for decays in ((1.0,), (1.0, 0.7), (1.7,)))
    torch.testing.assert_close(both[:, :1], flat[:, :1])
    torch.testing.assert_close(both[:, 1:], steep[:, 1:])
    assert flat[:, 1:].diff(dim=-1).abs().mean() > 1.2 * both[:, 1:].diff(dim=-1).abs().mean()
    planes = image_parameterization("fourier", (32, 32), chroma_decay=0.7, decorrelate=False).basis.to_planes(noise)
    torch.testing.assert_close(planes, flat)


@pytest.mark.parametrize("chroma", [0.5, 1.0, 2.0])
def test_color_there_and_back_is_the_identity(chroma: float) -> None:
    """Color axes and RGB are inverse maps; another strength of color is not."""
    values = torch.randn(3, 500, generator=torch.Generator().manual_seed(0))
    there, back = color_correlation(chroma), torch.linalg.inv(color_correlation(chroma))
    torch.testing.assert_close(back @ (there @ values), values, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(there @ (back @ values), values, atol=1e-4, rtol=1e-4)
    assert (torch.linalg.inv(color_correlation(1.5 * chroma)) @ (there @ values) - values).abs().max() > 0.1


def test_the_axes_stand_upright_on_each_other() -> None:
    """Lightness has unit length, and a step along one axis is none along another; chroma lengthens color alone."""
    gram, vivid = (color_correlation(chroma).T @ color_correlation(chroma) for chroma in (1.0, 2.0))
    assert (gram - gram.diag().diag()).abs().max() < 1e-3
    assert gram[0, 0].item() == pytest.approx(1, abs=1e-3)
    torch.testing.assert_close(vivid.diag() / gram.diag(), torch.tensor([1.0, 4.0, 4.0]))


def test_the_first_axis_is_lightness() -> None:
    """A step on the first axis moves red, green and blue equally; a step on the second moves red against blue."""
    gray, tint, _ = color_correlation().T
    assert gray.std() < 0.05 * gray.abs().mean()
    assert tint[0] * tint[2] < 0


def test_chance_colors_are_those_of_photographs() -> None:
    """Independent noise on the axes gives strongly correlated red, green and blue; less so with stronger color."""
    noise = torch.randn(3, 40_000, generator=torch.Generator().manual_seed(0))
    natural, vivid = (torch.corrcoef(color_correlation(chroma) @ noise)[0, 1] for chroma in (1.0, 3.0))
    assert natural > 0.85
    assert vivid < 0.6


def values() -> Tensor:
    """Images of very different strength in float64, [3, 3, 5, 6]."""
    noise = torch.randn(3, 3, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return noise * torch.tensor([0.01, 1.0, 40.0], dtype=torch.float64)[:, None, None, None]


def plain(values: Tensor, contrast: float | None) -> Tensor:
    """The formula as it stands, for automatic differentiation."""
    if contrast is None:
        return torch.sigmoid(values)
    return torch.sigmoid(contrast * values / values.square().mean((1, 2, 3), keepdim=True).sqrt())


@pytest.mark.parametrize("contrast", [None, 0.3, 0.75, 3.0])
def test_the_gradient_is_that_of_automatic_differentiation(contrast: float | None) -> None:
    """Images and gradients equal those of the plain formula, whatever weights the pixels get."""
    one, other = (values().requires_grad_(True) for _ in range(2))
    images, expected = sigmoid_with_contrast(one, contrast), plain(other, contrast)
    torch.testing.assert_close(images, expected)
    weights = torch.randn(one.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (gradient,) = torch.autograd.grad((images * weights).sum(), one)
    (wanted,) = torch.autograd.grad((expected * weights).sum(), other)
    torch.testing.assert_close(gradient, wanted)
    free = (contrast or 1) / root_mean_square(one) * images * (1 - images) * weights
    assert (gradient - free).abs().max() > 1e-3 * free.abs().max()


def test_values_without_bounds_stay_finite() -> None:
    """Where the contrast is free, values far beyond what a number type can raise give black, white and no gradient."""
    given = torch.tensor([-1e30, -200.0, 0.0, 200.0, 1e30]).view(1, 1, 1, 5).requires_grad_(True)
    images = sigmoid_with_contrast(given, None)
    (gradient,) = torch.autograd.grad(images.sum(), given)
    assert images.flatten().tolist() == [0, 0, 0.5, 1, 1]
    assert gradient.flatten().tolist() == [0, 0, 0.25, 0, 0]


def test_the_gradient_is_that_of_finite_differences() -> None:
    """Small changes of the values change the images as the gradient says."""
    few = values()[1:2, :, :3, :2].clone().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda given: sigmoid_with_contrast(given, 0.75), few)


@pytest.mark.parametrize("contrast", [0.3, 0.75, 3.0])
def test_every_image_has_the_given_contrast(contrast: float) -> None:
    """Faint or glaring, each image's values before the sigmoid have the root mean square that was asked for."""
    before = torch.logit(sigmoid_with_contrast(values(), contrast))
    found = before.square().mean((1, 2, 3)).sqrt()
    torch.testing.assert_close(found, torch.full_like(found, contrast))
    free = torch.logit(torch.sigmoid(values())).square().mean((1, 2, 3)).sqrt()
    assert (free / contrast - 1).abs().min() > 0.1


def test_strength_alone_has_no_gradient() -> None:
    """What would only make an image fainter or stronger is taken out of the gradient."""
    given = values().requires_grad_(True)
    (gradient,) = torch.autograd.grad((sigmoid_with_contrast(given, 0.75) * values()).sum(), given)
    along = (gradient * given).sum((1, 2, 3)) / gradient.flatten(1).norm(dim=1) / given.flatten(1).norm(dim=1)
    assert along.abs().max() < 1e-9


def test_an_empty_image_is_finite() -> None:
    """Values that are all zero give plain gray and a finite gradient, and leave their neighbors as they are."""
    given = values().float()
    given[1] = 0
    given.requires_grad_(True)
    images = sigmoid_with_contrast(given, 0.75)
    (gradient,) = torch.autograd.grad((images * values().float()).sum(), given)
    assert (images[1] == 0.5).all()
    assert gradient.isfinite().all()
    torch.testing.assert_close(images[[0, 2]], sigmoid_with_contrast(values().float()[[0, 2]], 0.75))


@pytest.mark.parametrize("side", [32, 39])
@pytest.mark.parametrize("contrast", [0.75, None])
def test_an_image_does_not_depend_on_its_place(side: int, contrast: float | None) -> None:
    """In another place of the batch an image and its gradient are the same, bit for bit, down to the last pixel."""
    given = torch.randn(40, 3, side, side, generator=torch.Generator().manual_seed(0))
    for count in (5, 8, 37):
        found = []
        for images in (given[:count], given[:count].flip(0)):
            values = images.clone().requires_grad_(True)
            made = sigmoid_with_contrast(values, contrast)
            found.append((made.detach(), torch.autograd.grad(made.square().sum(), values)[0]))
        (plain, gradient), (turned, other) = found
        assert torch.equal(plain, turned.flip(0))
        assert torch.equal(gradient, other.flip(0))
        assert not torch.equal(plain, turned)


def test_a_parameter_is_a_pixel() -> None:
    """Parameters and planes are one and the same, in both directions: one parameter moves one pixel of one plane."""
    basis = PixelBasis(7, 7)
    assert basis.shape == (3, 7, 7)
    values = torch.randn(2, *basis.shape, generator=torch.Generator().manual_seed(0))
    assert torch.equal(basis.to_planes(values), values)
    assert torch.equal(basis.to_parameters(values), values)
    moved = values.clone()
    moved[1, 2, 3, 4] += 1
    assert (basis.to_planes(moved) != values).nonzero().tolist() == [[1, 2, 3, 4]]


@pytest.mark.parametrize("size", [(20, 33), (17, 24), (15, 9)])
@pytest.mark.parametrize(("kind", "decorrelate", "contrast"), KINDS)
def test_oblong_and_odd_sizes_come_back(
    kind: Kind, decorrelate: bool, contrast: float | None, size: tuple[int, int]
) -> None:
    """Images of any height and width are encoded and decoded; each keeps its place in the batch."""
    oblong = image_parameterization(kind, size, decay_power=1.2, decorrelate=decorrelate, contrast=contrast)
    assert oblong.size == size
    noise = torch.randn(3, *oblong.shape, generator=torch.Generator().manual_seed(0))
    images = oblong.decode(noise)
    assert images.shape == (3, 3, *size)
    again = oblong.decode(oblong.encode(images))
    torch.testing.assert_close(again, images, atol=2e-3, rtol=0)
    assert (again - images.flip(0)).abs().mean() > 0.02


@pytest.mark.parametrize("size", [(24, 24), (16, 40), (31, 18)])
def test_oblong_planes_have_unit_variance_and_no_direction(size: tuple[int, int]) -> None:
    """A spectrum of unit noise has planes of unit variance, as smooth across as down, whatever the aspect."""
    basis = FourierBasis(*size, 1.0)
    planes = basis.to_planes(torch.randn(800, *basis.shape, generator=torch.Generator().manual_seed(1)))
    assert planes.square().mean().sqrt() == pytest.approx(1, abs=0.05)
    across, down = planes.diff(dim=-1).square().mean(), planes.diff(dim=-2).square().mean()
    assert across / down == pytest.approx(1, abs=0.15)
