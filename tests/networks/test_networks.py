from collections.abc import Callable

import pytest
import torch
from torch import nn

from pipeline.core.errors import ModelError
from pipeline.model.discovery import find_layers
from pipeline.model.output_format import OutputFormat
from tests.networks import unusual_outputs as unusual
from tests.networks.checks import Row, check_layer, entries, place_of_gradient
from tests.networks.networks import small_swin, torchvision_network

PUBLISHED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "ResNet": (torchvision_network("resnet18"), "layer2.0.relu:1"),
    "SqueezeNet": (torchvision_network("squeezenet1_1"), "features.7"),
    "Swin": (lambda: small_swin(1), "features.1.1"),
    "Swin V2": (lambda: small_swin(2), "features.3.0"),
    "ViT": (torchvision_network("VisionTransformer"), "encoder.layers.encoder_layer_2.mlp"),
    "MaxViT": (torchvision_network("MaxVit"), "blocks.1"),
}


@pytest.mark.parametrize("family", PUBLISHED)
def test_layers_of_each_family_are_right(family: str) -> None:
    """Activations, attributions and the places of gradients are those of an independent calculation."""
    make, layer = PUBLISHED[family]
    module = make()
    row = check_layer(family, module, 64, layer, find_layers(module, 64), icon=False)
    assert row.holds, row
    assert row.place > 0.8


def test_networks_of_places_are_no_layers() -> None:
    """The position biases of Swin V2, which answer with a batch of one, are refused, its blocks are layers."""
    found = find_layers(small_swin(2), 64)
    assert found.require("features.1.0").kind == "map_last"
    with pytest.raises(ModelError, match="first dimension is not the batch"):
        found.require("features.1.0.attn.cpb_mlp")


@pytest.mark.parametrize("name", [name for name, one in unusual.ODD.items() if not isinstance(one.expected, str)])
def test_layers_of_odd_networks_are_right(name: str) -> None:
    """The same holds for the networks with unusual orders of dimensions, and for calls of a module."""
    one = unusual.ODD[name]
    module = unusual.build(one)
    found = find_layers(module, unusual.CROP, one.given)
    row = unusual.judged(check_layer(name, module, unusual.CROP, one.layer, found, icon=False), one)
    assert row.holds, row


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("25 tokens, 9 of them first", OutputFormat("tokens", unusual.WIDTH, 5, 5, 0)),
        ("as many channels as tokens", OutputFormat("tokens", unusual.WIDTH, 4, 4, 0)),
        ("channels last, all sizes equal", OutputFormat("map", unusual.WIDTH, 16, 16, 0)),
        ("windows as rows", OutputFormat("map_last", unusual.WIDTH, 4, 16, 0)),
    ],
)
def test_places_of_gradients_tell_a_wrong_format(name: str, wrong: OutputFormat) -> None:
    """A format that only fits the sizes has gradients elsewhere than its samples say."""
    assert place_of_gradient(unusual.build(unusual.ODD[name]), "layer", wrong, unusual.CROP) < 0.5


def test_activations_are_looked_up_by_the_meaning_of_the_format() -> None:
    """The plain lookup finds the entry of (y, x) in each of the four orders, behind the tokens that come first."""
    grid = torch.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    positions = torch.tensor([[0, 4], [3, 1]])
    tokens = torch.cat([torch.full((2, 3, 2), -1.0), grid.flatten(2), torch.full((2, 3, 1), -1.0)], 2)
    outputs = {"map": grid, "map_last": grid.movedim(1, -1), "tokens": tokens.mT, "tokens_last": tokens}
    for kind, output in outputs.items():
        form = OutputFormat(kind, 3, 4, 5, 2 if kind.startswith("tokens") else 0)  # type: ignore[arg-type]  # a kind
        torch.testing.assert_close(entries(output, form, 1, positions), grid[1][:, [0, 3], [4, 1]].T)


@pytest.mark.parametrize("wrong", [{"activation": 1e-3}, {"attribution": 0.5}, {"place": 0.2}, {"expected": False}])
def test_a_wrong_row_does_not_hold(wrong: dict[str, float | bool]) -> None:
    """Each of the measured errors alone makes a row wrong; without them it holds, and so does an expected refusal."""
    right = {"layout": "map 4 × 4", "activation": 0.0, "attribution": 1e-6, "place": 0.99, "expected": True}
    assert Row("n", "l", "1 of 1", **right).holds  # type: ignore[arg-type]  # as its fields are
    assert Row("n", "l", "1 of 1", refused="why").holds
    assert not Row("n", "l", "1 of 1", **(right | wrong)).holds  # type: ignore[arg-type]  # as its fields are
