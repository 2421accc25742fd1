import numpy as np
import pytest
import torch
from torch import nn

from pipeline.units.filters import CELL, COLUMNS, GAP, STRIP, filter_sheets


class Chain(nn.Module):
    """A first convolution and another one."""

    def __init__(self, channels: int, groups: int, kernel: tuple[int, int]) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(channels, 18, kernel, groups=groups))
        self.deep = nn.Conv2d(18, 5, 3)


@pytest.mark.parametrize("kernel", [(7, 7), (3, 5), (1, 1), (50, 50)])
@pytest.mark.parametrize(("channels", "groups"), [(3, 1), (3, 3), (1, 1)])
def test_first_filters_are_pictures_of_their_weights(channels: int, groups: int, kernel: tuple[int, int]) -> None:
    """Each pixel of a filter has its three weights as a color; gray ones and groups are gray; 0 is middle gray."""
    module = Chain(channels, groups, kernel)
    parameter = module.get_parameter("stem.0.weight")
    parameter.data[17] = 0.0
    (sheet,) = filter_sheets(module, "stem")
    weight = parameter.detach().numpy()
    assert (sheet.layer, sheet.filters, sheet.size, sheet.channels) == ("stem.0", 18, kernel, weight.shape[1])
    scale = max(1, -(-CELL // max(kernel)))
    height, width = kernel[0] * scale, kernel[1] * scale
    assert sheet.image.shape == (2 * height + GAP, COLUMNS * (width + GAP) - GAP, 3)
    first = sheet.image[:height:scale, :width:scale].astype(float)
    wanted = 127.5 + 127.5 * weight[0] / np.abs(weight[0]).max()
    assert np.abs(first - wanted.transpose(1, 2, 0)).max() <= 0.5
    silent = sheet.image[height + GAP :, width + GAP : 2 * width + GAP]
    assert (silent == 128).all()


def test_filters_of_a_higher_layer_are_strips() -> None:
    """A filter is a row of its first input channels, all on one scale; the first layer's come before them."""
    module = Chain(3, 1, (3, 3))
    first, own = filter_sheets(module, "deep")
    assert (first.layer, first.colors) == ("stem.0", True)
    assert (own.layer, own.colors, own.channels) == ("deep", False, 18)
    side = 3 * -(-CELL // 2 // 3)
    assert own.image.shape == (5 * (side + GAP) - GAP, min(18, STRIP) * (side + GAP) - GAP, 3)
    weight = module.deep.weight.detach().numpy()[0, :STRIP]
    corner = 127.5 + 127.5 * weight[1, 0, 0] / np.abs(weight).max()
    assert abs(float(own.image[0, side + GAP, 0]) - corner) <= 0.5


def test_a_network_without_convolutions_has_no_filters() -> None:
    """There is nothing to show, and nothing fails."""
    assert filter_sheets(nn.Sequential(nn.Linear(3, 2)), "0") == []
    assert filter_sheets(nn.Sequential(nn.Conv2d(12, 2, 1), nn.ReLU()), "1") == []
    assert torch.is_grad_enabled()
