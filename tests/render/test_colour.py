import pytest
import torch

from pipeline.render.colour import from_rgb, to_rgb


@pytest.mark.parametrize("chroma", [0.5, 1.0, 2.0])
def test_there_and_back_is_the_identity(chroma: float) -> None:
    """Colour axes and RGB say the same in other words."""
    values = torch.randn(4, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(from_rgb(to_rgb(values, chroma), chroma), values, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(to_rgb(from_rgb(values, chroma), chroma), values, atol=1e-4, rtol=1e-4)


def test_the_first_axis_is_lightness() -> None:
    """A step on the first axis moves red, green and blue alike; a step on the second moves red against blue."""
    lightness, colour = torch.zeros(2, 1, 3, 1, 1)
    lightness[0, 0], colour[0, 1] = 1, 1
    grey, tint = to_rgb(lightness).flatten(), to_rgb(colour).flatten()
    assert grey.std() < 0.05 * grey.abs().mean()
    assert tint[0] * tint[2] < 0


def test_chance_colours_are_those_of_photographs() -> None:
    """Independent noise on the axes gives strongly correlated red, green and blue; less so with stronger colour."""
    noise = torch.randn(1, 3, 200, 200, generator=torch.Generator().manual_seed(0))
    natural = torch.corrcoef(to_rgb(noise)[0].flatten(1))[0, 1]
    vivid = torch.corrcoef(to_rgb(noise, 3.0)[0].flatten(1))[0, 1]
    assert natural > 0.85
    assert vivid < 0.6
