import pytest
import torch
from torch import Tensor, nn

from pipeline.model.build import build, freeze
from pipeline.model.discovery import discover_layers, find_layers
from pipeline.model.layers import run_to


@pytest.mark.parametrize(
    ("network", "layer", "kind"), [("swin_t", "features.1", "map_last"), ("resnet18", "layer2", "map")]
)
def test_torchvision_families_are_read_right(network: str, layer: str, kind: str) -> None:
    """The channel axis is found in networks that keep it first and in those that keep it last."""
    module = freeze(build({"_target_": f"torchvision.models.{network}"}))
    form = find_layers(module, 64).require(layer)
    assert form.kind == kind
    assert form.height == form.width < form.channels


def test_receptive_fields_are_those_of_arithmetic() -> None:
    """The searched receptive field and stride equal the textbook recursion over kernels and strides."""
    layers = [(3, 1), (5, 2), (3, 2), (3, 1)]
    convolutions = [nn.Conv2d(3 if i == 0 else 4, 4, k, s, padding=k // 2) for i, (k, s) in enumerate(layers)]
    shapes = discover_layers(freeze(nn.Sequential(*convolutions)), 64)
    field, stride = 1, 1
    for number, (kernel, step) in enumerate(layers):
        field, stride = field + (kernel - 1) * stride, stride * step
        assert (shapes[str(number)].receptive_field, shapes[str(number)].stride) == (field, stride)


def test_global_layers_see_the_whole_input(vit: nn.Module) -> None:
    """After attention a position depends on every pixel."""
    shapes = discover_layers(vit, 32)
    assert shapes["conv_proj"].receptive_field == 8
    assert shapes["encoder.layers.encoder_layer_0"].receptive_field == 32


class _Reused(nn.Module):
    """One ReLU that runs twice, on maps of other sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.first = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.second = nn.Conv2d(4, 7, 3, stride=2, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, 7]."""
        maps: Tensor = self.relu(self.second(self.relu(self.first(images))))
        return maps.mean((2, 3))


@pytest.mark.parametrize(("number", "channels", "side", "field"), [(0, 4, 16, 3), (1, 7, 8, 7)])
def test_each_call_of_a_module_is_a_layer(number: int, channels: int, side: int, field: int) -> None:
    """Its channels, map and receptive field are those of this call's output, which :func:`run_to` returns."""
    module = freeze(_Reused())
    shape = discover_layers(module, 32)[f"relu:{number}"]
    assert (shape.channels, shape.height, shape.receptive_field) == (channels, side, field)
    assert run_to(module, f"relu:{number}", torch.zeros(1, 3, 32, 32)).shape[1:] == (channels, side, side)
