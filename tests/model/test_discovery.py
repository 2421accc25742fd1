import pytest
import torch
from torch import Tensor, nn

from pipeline.model.build import build, freeze
from pipeline.model.discovery import discover_layers, output_formats
from pipeline.model.layers import run_to


def test_register_tokens_are_told_from_patches() -> None:
    """Class and register tokens before a square patch grid are counted, or taken as configured."""

    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Identity()

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            tokens = images.mean(1).reshape(len(images), -1)[:, : 5 + 196, None].repeat(1, 1, 7)
            out: torch.Tensor = self.body(tokens).mean(1)
            return out

    assert output_formats(freeze(Tokens()), 32)["body"].prefix == 5
    assert output_formats(freeze(Tokens()), 32, prefix_tokens=5)["body"].height == 14
    assert "body" not in output_formats(freeze(Tokens()), 32, prefix_tokens=6)


@pytest.mark.parametrize(
    ("network", "layer", "kind"), [("swin_t", "features.1", "map_last"), ("resnet18", "layer2", "map")]
)
def test_torchvision_families_are_read_right(network: str, layer: str, kind: str) -> None:
    """The channel axis is found in networks that keep it first and in those that keep it last."""
    module = freeze(build({"_target_": f"torchvision.models.{network}"}))
    form = output_formats(module, 64)[layer]
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


def test_a_layer_that_runs_several_times_has_the_shape_of_its_first_output() -> None:
    """Its channels, map and receptive field are those of the output that :func:`run_to` returns."""
    module = freeze(_Reused())
    shape = discover_layers(module, 32)["relu"]
    assert (shape.channels, shape.height, shape.receptive_field) == (4, 16, 3)
    assert run_to(module, "relu", torch.zeros(1, 3, 32, 32)).shape[1:] == (4, 16, 16)
