import pytest
import torch
from torch import Tensor

from pipeline.render.contrast import root_mean_square, squashed


def values() -> Tensor:
    """Pictures of very different strength in float64, [3, 3, 5, 6]."""
    noise = torch.randn(3, 3, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return noise * torch.tensor([0.01, 1.0, 40.0], dtype=torch.float64)[:, None, None, None]


def plain(values: Tensor, contrast: float | None) -> Tensor:
    """The formula as it stands, for automatic differentiation."""
    if contrast is None:
        return torch.sigmoid(values)
    return torch.sigmoid(contrast * values / values.square().mean((1, 2, 3), keepdim=True).sqrt())


@pytest.mark.parametrize("contrast", [None, 0.3, 0.75, 3.0])
def test_the_gradient_is_that_of_automatic_differentiation(contrast: float | None) -> None:
    """Pictures and gradients equal those of the plain formula, whatever weights the pixels get."""
    one, other = (values().requires_grad_(True) for _ in range(2))
    pictures, expected = squashed(one, contrast), plain(other, contrast)
    torch.testing.assert_close(pictures, expected)
    weights = torch.randn(one.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (gradient,) = torch.autograd.grad((pictures * weights).sum(), one)
    (wanted,) = torch.autograd.grad((expected * weights).sum(), other)
    torch.testing.assert_close(gradient, wanted)
    free = (contrast or 1) / root_mean_square(one) * pictures * (1 - pictures) * weights
    assert (gradient - free).abs().max() > 1e-3 * free.abs().max()


def test_values_without_bounds_stay_finite() -> None:
    """Where the contrast is free, values far beyond what a number type can raise give black, white and no gradient."""
    given = torch.tensor([-1e30, -200.0, 0.0, 200.0, 1e30]).view(1, 1, 1, 5).requires_grad_(True)
    pictures = squashed(given, None)
    (gradient,) = torch.autograd.grad(pictures.sum(), given)
    assert pictures.flatten().tolist() == [0, 0, 0.5, 1, 1]
    assert gradient.flatten().tolist() == [0, 0, 0.25, 0, 0]


def test_the_gradient_is_that_of_finite_differences() -> None:
    """Small changes of the values change the pictures as the gradient says."""
    few = values()[1:2, :, :3, :2].clone().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda given: squashed(given, 0.75), few)


@pytest.mark.parametrize("contrast", [0.3, 0.75, 3.0])
def test_every_picture_has_the_given_contrast(contrast: float) -> None:
    """Faint or glaring, each picture's values before the sigmoid have the root mean square that was asked for."""
    before = torch.logit(squashed(values(), contrast))
    found = before.square().mean((1, 2, 3)).sqrt()
    torch.testing.assert_close(found, torch.full_like(found, contrast))
    free = torch.logit(torch.sigmoid(values())).square().mean((1, 2, 3)).sqrt()
    assert (free / contrast - 1).abs().min() > 0.1


def test_strength_alone_has_no_gradient() -> None:
    """What would only make a picture fainter or stronger is taken out of the gradient."""
    given = values().requires_grad_(True)
    (gradient,) = torch.autograd.grad((squashed(given, 0.75) * values()).sum(), given)
    along = (gradient * given).sum((1, 2, 3)) / gradient.flatten(1).norm(dim=1) / given.flatten(1).norm(dim=1)
    assert along.abs().max() < 1e-9


def test_an_empty_picture_is_finite() -> None:
    """Values that are all zero give plain grey and a finite gradient, and leave their neighbours as they are."""
    given = values().float()
    given[1] = 0
    given.requires_grad_(True)
    pictures = squashed(given, 0.75)
    (gradient,) = torch.autograd.grad((pictures * values().float()).sum(), given)
    assert (pictures[1] == 0.5).all()
    assert gradient.isfinite().all()
    torch.testing.assert_close(pictures[[0, 2]], squashed(values().float()[[0, 2]], 0.75))


@pytest.mark.parametrize("side", [32, 39])
@pytest.mark.parametrize("contrast", [0.75, None])
def test_a_picture_does_not_depend_on_its_place(side: int, contrast: float | None) -> None:
    """In another place of the batch a picture and its gradient are the same, bit for bit, down to the last pixel."""
    given = torch.randn(40, 3, side, side, generator=torch.Generator().manual_seed(0))
    for count in (5, 8, 37):
        found = []
        for pictures in (given[:count], given[:count].flip(0)):
            values = pictures.clone().requires_grad_(True)
            made = squashed(values, contrast)
            found.append((made.detach(), torch.autograd.grad(made.square().sum(), values)[0]))
        (plain, gradient), (turned, other) = found
        assert torch.equal(plain, turned.flip(0))
        assert torch.equal(gradient, other.flip(0))
        assert not torch.equal(plain, turned)
