import pytest
import torch

from pipeline.render.colour import mixing


@pytest.mark.parametrize("chroma", [0.5, 1.0, 2.0])
def test_there_and_back_is_the_identity(chroma: float) -> None:
    """Colour axes and RGB say the same in other words; another strength of colour says something else."""
    values = torch.randn(3, 500, generator=torch.Generator().manual_seed(0))
    there, back = mixing(chroma), torch.linalg.inv(mixing(chroma))
    torch.testing.assert_close(back @ (there @ values), values, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(there @ (back @ values), values, atol=1e-4, rtol=1e-4)
    assert (torch.linalg.inv(mixing(1.5 * chroma)) @ (there @ values) - values).abs().max() > 0.1


def test_the_axes_stand_upright_on_each_other() -> None:
    """Lightness has unit length, and a step along one axis is none along another; chroma lengthens colour alone."""
    gram, vivid = (mixing(chroma).T @ mixing(chroma) for chroma in (1.0, 2.0))
    assert (gram - gram.diag().diag()).abs().max() < 1e-3
    assert gram[0, 0].item() == pytest.approx(1, abs=1e-3)
    torch.testing.assert_close(vivid.diag() / gram.diag(), torch.tensor([1.0, 4.0, 4.0]))


def test_the_first_axis_is_lightness() -> None:
    """A step on the first axis moves red, green and blue alike; a step on the second moves red against blue."""
    grey, tint, _ = mixing().T
    assert grey.std() < 0.05 * grey.abs().mean()
    assert tint[0] * tint[2] < 0


def test_chance_colours_are_those_of_photographs() -> None:
    """Independent noise on the axes gives strongly correlated red, green and blue; less so with stronger colour."""
    noise = torch.randn(3, 40_000, generator=torch.Generator().manual_seed(0))
    natural, vivid = (torch.corrcoef(mixing(chroma) @ noise)[0, 1] for chroma in (1.0, 3.0))
    assert natural > 0.85
    assert vivid < 0.6
