import torch

from pipeline.render.pixel import Pixel


def test_a_parameter_is_a_pixel() -> None:
    """Parameters and planes are one and the same, in both directions: one parameter moves one pixel of one plane."""
    paper = Pixel(7)
    assert paper.shape == (3, 7, 7)
    values = torch.randn(2, *paper.shape, generator=torch.Generator().manual_seed(0))
    assert torch.equal(paper.planes(values), values)
    assert torch.equal(paper.parameters(values), values)
    moved = values.clone()
    moved[1, 2, 3, 4] += 1
    assert (paper.planes(moved) != values).nonzero().tolist() == [[1, 2, 3, 4]]
