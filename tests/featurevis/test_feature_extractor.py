from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from pipeline.core.errors import ConfigError
from pipeline.featurevis.feature_extractor import LOGITS, FeatureExtractor
from pipeline.featurevis.objectives import center_activations
from pipeline.featurevis.space_to_depth import SpaceToDepthConv2d
from pipeline.model.config import PreprocessingSettings
from pipeline.model.describe import describe_layers
from pipeline.model.layers import run_to
from pipeline.model.network import Network
from pipeline.model.preprocessing import normalise
from tests.featurevis.scene import SIDE, Scene


def center(network: Network, layer: str, images: Tensor, dtype: Literal["float32", "bfloat16"] = "float32") -> Tensor:
    """The center activations of images."""
    size = (images.shape[2], images.shape[3])
    return center_activations(FeatureExtractor(network, [layer], size, dtype)(images)[layer])


def test_it_says_what_the_layer_says_at_the_center(cnn_scene: Scene) -> None:
    """The activation at the middle of the map, as a plain pass of the whole network gives it."""
    pictures = torch.rand(3, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    network = cnn_scene.network
    grid = run_to(network.module, cnn_scene.layer, normalise(pictures, network.preprocessing))
    found = center(network, cnn_scene.layer, pictures)
    torch.testing.assert_close(found, grid[:, :, grid.shape[2] // 2, grid.shape[3] // 2])
    assert (found - grid[:, :, 0, 0]).abs().max() > 0.01


def test_tokens_are_seen_at_the_network_s_own_size(vit_scene: Scene) -> None:
    """A transformer has one input size; its center is the token of the middle patch, class token left out."""
    look = FeatureExtractor(vit_scene.network, [vit_scene.layer], (20, 20), "float32")
    assert look.size == (SIDE, SIDE)
    pictures = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    tokens = run_to(vit_scene.network.module, vit_scene.layer, normalise(pictures, vit_scene.network.preprocessing))
    torch.testing.assert_close(center_activations(look(pictures)[vit_scene.layer]), tokens[:, 1 + 2 * 4 + 2])


def test_bfloat16_is_near_float32_and_leaves_the_network_alone(cnn_scene: Scene) -> None:
    """The narrow pass rounds, it does not change what is seen; the given network keeps its weights."""
    pictures = torch.rand(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    exact = center(cnn_scene.network, cnn_scene.layer, pictures)
    narrow = center(cnn_scene.network, cnn_scene.layer, pictures, "bfloat16")
    assert narrow.dtype == torch.float32
    assert 0 < (narrow - exact).abs().max() < 0.03 * exact.abs().max()
    assert all(parameter.dtype == torch.float32 for parameter in cnn_scene.network.module.parameters())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_given_network_is_left_as_it_was(cnn_scene: Scene, dtype: Literal["float32", "bfloat16"]) -> None:
    """The probe folds and rounds a copy: the network keeps its modules, its weights and their layout in memory."""
    module = cnn_scene.network.module
    before = {name: (value.clone(), value.stride()) for name, value in module.state_dict().items()}
    kinds = [type(part) for part in module.modules()]
    look = FeatureExtractor(cnn_scene.network, [cnn_scene.layer], (SIDE, SIDE), dtype)
    look(torch.rand(2, 3, SIDE, SIDE).requires_grad_(True), 0.5)[cnn_scene.layer].sum().backward()  # type: ignore[no-untyped-call]  # torch's
    assert any(isinstance(part, SpaceToDepthConv2d) for part in look._module.modules())
    assert [type(part) for part in module.modules()] == kinds
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name][0])
        assert value.stride() == before[name][1]
        assert not value.requires_grad


def test_a_layer_that_is_the_first_convolution_can_be_seen(cnn_scene: Scene) -> None:
    """A stem that would be folded is not where it is the very layer that is asked for."""
    pictures = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    network = cnn_scene.network
    grid = run_to(network.module, "first", normalise(pictures, network.preprocessing))
    found = center(network, "first", pictures)
    torch.testing.assert_close(found, grid[:, :, grid.shape[2] // 2, grid.shape[3] // 2])


def test_redirection_changes_the_gradient_and_not_what_is_said(cnn_scene: Scene) -> None:
    """Silent units stay silent; only the way back changes, and only as far as it is asked."""
    look, seen, ways = FeatureExtractor(cnn_scene.network, [cnn_scene.layer], (SIDE, SIDE), "float32"), [], []
    pictures = torch.rand(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    for share in (0.0, 0.5, 1.0):
        said = center_activations(look(pictures, share)[cnn_scene.layer])
        seen.append(said.detach())
        ways.append(torch.autograd.grad(-said.sum(), pictures)[0])
    assert (seen[0] == 0).any()
    assert torch.equal(seen[0], seen[1])
    assert torch.equal(seen[0], seen[2])
    torch.testing.assert_close(ways[1], (ways[0] + ways[2]) / 2)
    assert (ways[2] - ways[0]).abs().max() > 0.1 * ways[0].abs().max()


@pytest.mark.parametrize(("size", "expected"), [(32, 1 / 8), (28, 0.0), (24, 1 / 6)])
def test_an_even_map_looks_half_a_position_further(cnn_scene: Scene, size: int, expected: float) -> None:
    """Maps of 8, 7 and 6 positions: the middle of an even one lies half a position off the picture's middle."""
    found = FeatureExtractor(cnn_scene.network, [cnn_scene.layer], (size, size), "float32")
    assert found.center(cnn_scene.layer) == (expected, expected)


def test_several_layers_and_the_logits_come_from_one_pass(cnn_scene: Scene) -> None:
    """Each is what a plain pass gives, whatever the order they are asked in; other images give other features."""
    network = cnn_scene.network
    images = torch.rand(3, 3, 24, 40, generator=torch.Generator().manual_seed(0))
    inputs = normalise(images, network.preprocessing)
    for layers in (["first", LOGITS, "second_relu"], ["second_relu", "first"], [LOGITS]):
        found = FeatureExtractor(network, layers, (24, 40), "float32")(images)
        assert list(found) == layers
        for layer in layers:
            expected = network.module(inputs) if layer == LOGITS else run_to(network.module, layer, inputs)
            torch.testing.assert_close(found[layer], expected)
            assert (found[layer] - expected.roll(1, 0)).abs().max() > 1e-3


def test_gradient_flows_through_all_of_them(cnn_scene: Scene) -> None:
    """The gradient of a sum over two layers and the logits is the sum of the three gradients."""
    layers = ["first", "second_relu", LOGITS]
    look = FeatureExtractor(cnn_scene.network, layers, (24, 40), "float32")
    images = torch.rand(2, 3, 24, 40, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    alone = [torch.autograd.grad(look(images)[layer].square().sum(), images)[0] for layer in layers]
    found = look(images)
    total = sum((found[layer].square().sum() for layer in layers), torch.zeros(()))
    torch.testing.assert_close(torch.autograd.grad(total, images)[0], sum(alone, torch.zeros(())))


def test_tokens_and_logits_come_from_one_pass(vit_scene: Scene) -> None:
    """Tokens are patch grids, whatever the size that is asked for; the logits are the network's own."""
    network, layers = vit_scene.network, [vit_scene.layer, "encoder.layers.encoder_layer_1", LOGITS]
    look = FeatureExtractor(network, layers, (20, 28), "float32")
    assert look.size == (SIDE, SIDE)
    images = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    found, inputs = look(images), normalise(images, network.preprocessing)
    torch.testing.assert_close(found[LOGITS], network.module(inputs))
    for layer in layers[:2]:
        tokens = run_to(network.module, layer, inputs)
        torch.testing.assert_close(found[layer].flatten(2).movedim(1, -1), tokens[:, 1:])
    assert look.center(vit_scene.layer) == (1 / 4, 1 / 4)
    assert look.center(LOGITS) == (0, 0)


def test_an_oblong_image_has_its_own_center(cnn_scene: Scene) -> None:
    """A map of 7 × 8 positions has a middle row but no middle column."""
    look = FeatureExtractor(cnn_scene.network, [cnn_scene.layer], (28, 32), "float32")
    assert look.center(cnn_scene.layer) == (1 / 8, 0.0)


def test_redirection_covers_every_layer(cnn_scene: Scene) -> None:
    """Inactive units of both layers pass gradient; the logits have none to redirect."""
    layers = ["first_relu", "second_relu", LOGITS]
    look = FeatureExtractor(cnn_scene.network, layers, (SIDE, SIDE), "float32")
    images = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    for layer, changes in zip(layers, (True, True, False), strict=True):
        plain, redirected = (torch.autograd.grad(-look(images, share)[layer].sum(), images)[0] for share in (0.0, 1.0))
        assert torch.equal(plain, redirected) != changes or layer == LOGITS


def test_logits_of_another_size_are_refused_in_one_line() -> None:
    """A head that takes one size only names the setting that gives the size."""
    module = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 16 * 16, 5))
    module = module.eval().requires_grad_(False)
    network = Network("flat", module, tuple("abcde"), PreprocessingSettings(crop=16), describe_layers(module, 16))
    assert FeatureExtractor(network, [LOGITS], (16, 16), "float32").layers == (LOGITS,)
    with pytest.raises(ConfigError, match=r"^units\.size: expected images .* as far as logits, found 20 × 16 pixels"):
        FeatureExtractor(network, [LOGITS], (20, 16), "float32", size_setting="units.size")
