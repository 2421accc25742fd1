from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from pipeline.config.model import PreprocessingSettings
from pipeline.core.errors import ConfigError
from pipeline.core.layer_names import LOGITS
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.objectives import center_activations
from pipeline.featurevis.space_to_depth import SpaceToDepthConv2d
from pipeline.model.discovery import discover_layers
from pipeline.model.inputs import normalize
from pipeline.model.layers import run_to
from pipeline.model.network import Network
from tests.featurevis.scene import SIDE, Scene
from tests.networks.unusual_outputs import ODD, build


def center(network: Network, layer: str, images: Tensor, dtype: Literal["float32", "bfloat16"] = "float32") -> Tensor:
    """The center activations of images."""
    size = (images.shape[2], images.shape[3])
    return center_activations(FeatureExtractor(network, [layer], size, dtype)(images)[layer])


def test_it_returns_the_activation_at_the_center(cnn_scene: Scene) -> None:
    """The activation at the middle of the map, as a plain pass of the whole network gives it."""
    images = torch.rand(3, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    network = cnn_scene.network
    grid = run_to(network.module, cnn_scene.layer, normalize(images, network.preprocessing))
    found = center(network, cnn_scene.layer, images)
    torch.testing.assert_close(found, grid[:, :, grid.shape[2] // 2, grid.shape[3] // 2])
    assert (found - grid[:, :, 0, 0]).abs().max() > 0.01


def test_tokens_need_the_network_s_own_size(vit_scene: Scene) -> None:
    """A transformer has one input size; its center is the token of the middle patch, class token left out."""
    features = FeatureExtractor(vit_scene.network, [vit_scene.layer], (20, 20), "float32")
    assert features.size == (SIDE, SIDE)
    images = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    tokens = run_to(vit_scene.network.module, vit_scene.layer, normalize(images, vit_scene.network.preprocessing))
    torch.testing.assert_close(center_activations(features(images)[vit_scene.layer]), tokens[:, 1 + 2 * 4 + 2])


def test_bfloat16_is_near_float32_and_leaves_the_network_alone(cnn_scene: Scene) -> None:
    """The narrow pass rounds, it does not change the activations; the given network keeps its weights."""
    images = torch.rand(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    exact = center(cnn_scene.network, cnn_scene.layer, images)
    narrow = center(cnn_scene.network, cnn_scene.layer, images, "bfloat16")
    assert narrow.dtype == torch.float32
    assert 0 < (narrow - exact).abs().max() < 0.03 * exact.abs().max()
    assert all(parameter.dtype == torch.float32 for parameter in cnn_scene.network.module.parameters())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_given_network_is_left_as_it_was(cnn_scene: Scene, dtype: Literal["float32", "bfloat16"]) -> None:
    """The probe folds and rounds a copy: the network keeps its modules, its weights and their layout in memory."""
    module = cnn_scene.network.module
    before = {name: (value.clone(), value.stride()) for name, value in module.state_dict().items()}
    kinds = [type(part) for part in module.modules()]
    features = FeatureExtractor(cnn_scene.network, [cnn_scene.layer], (SIDE, SIDE), dtype)
    features(torch.rand(2, 3, SIDE, SIDE).requires_grad_(True), 0.5)[cnn_scene.layer].sum().backward()  # type: ignore[no-untyped-call]  # torch's
    assert any(isinstance(part, SpaceToDepthConv2d) for part in features._module.modules())
    assert [type(part) for part in module.modules()] == kinds
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name][0])
        assert value.stride() == before[name][1]
        assert not value.requires_grad


def test_the_first_convolution_can_be_extracted(cnn_scene: Scene) -> None:
    """A first convolution is not folded where it is the layer to be extracted."""
    images = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    network = cnn_scene.network
    grid = run_to(network.module, "first", normalize(images, network.preprocessing))
    found = center(network, "first", images)
    torch.testing.assert_close(found, grid[:, :, grid.shape[2] // 2, grid.shape[3] // 2])


def test_redirection_changes_the_gradient_and_no_activation(cnn_scene: Scene) -> None:
    """Activations stay as they are; only the gradient changes, in proportion to the share."""
    features, activations, gradients = (
        FeatureExtractor(cnn_scene.network, [cnn_scene.layer], (SIDE, SIDE), "float32"),
        [],
        [],
    )
    images = torch.rand(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    for share in (0.0, 0.5, 1.0):
        activation = center_activations(features(images, share)[cnn_scene.layer])
        activations.append(activation.detach())
        gradients.append(torch.autograd.grad(-activation.sum(), images)[0])
    assert (activations[0] == 0).any()
    assert torch.equal(activations[0], activations[1])
    assert torch.equal(activations[0], activations[2])
    torch.testing.assert_close(gradients[1], (gradients[0] + gradients[2]) / 2)
    assert (gradients[2] - gradients[0]).abs().max() > 0.1 * gradients[0].abs().max()


@pytest.mark.parametrize(("size", "expected"), [(32, 1 / 8), (28, 0.0), (24, 1 / 6)])
def test_the_center_of_an_even_map_is_half_a_position_further(cnn_scene: Scene, size: int, expected: float) -> None:
    """Maps of 8, 7 and 6 positions: the middle of an even one lies half a position off the image's middle."""
    found = FeatureExtractor(cnn_scene.network, [cnn_scene.layer], (size, size), "float32")
    assert found.center(cnn_scene.layer) == (expected, expected)


def test_several_layers_and_the_logits_come_from_one_pass(cnn_scene: Scene) -> None:
    """Each is what a plain pass gives, whatever the order they are asked in; other images give other features."""
    network = cnn_scene.network
    images = torch.rand(3, 3, 24, 40, generator=torch.Generator().manual_seed(0))
    inputs = normalize(images, network.preprocessing)
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
    features = FeatureExtractor(cnn_scene.network, layers, (24, 40), "float32")
    images = torch.rand(2, 3, 24, 40, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    alone = [torch.autograd.grad(features(images)[layer].square().sum(), images)[0] for layer in layers]
    found = features(images)
    total = sum((found[layer].square().sum() for layer in layers), torch.zeros(()))
    torch.testing.assert_close(torch.autograd.grad(total, images)[0], sum(alone, torch.zeros(())))


def test_tokens_and_logits_come_from_one_pass(vit_scene: Scene) -> None:
    """Tokens are patch grids, whatever the size that is asked for; the logits are the network's own."""
    network, layers = vit_scene.network, [vit_scene.layer, "encoder.layers.encoder_layer_1", LOGITS]
    features = FeatureExtractor(network, layers, (20, 28), "float32")
    assert features.size == (SIDE, SIDE)
    images = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    found, inputs = features(images), normalize(images, network.preprocessing)
    torch.testing.assert_close(found[LOGITS], network.module(inputs))
    for layer in layers[:2]:
        tokens = run_to(network.module, layer, inputs)
        torch.testing.assert_close(found[layer].flatten(2).movedim(1, -1), tokens[:, 1:])
    assert features.center(vit_scene.layer) == (1 / 4, 1 / 4)
    assert features.center(LOGITS) == (0, 0)


def test_an_oblong_image_has_its_own_center(cnn_scene: Scene) -> None:
    """A map of 7 × 8 positions has a middle row but no middle column."""
    features = FeatureExtractor(cnn_scene.network, [cnn_scene.layer], (28, 32), "float32")
    assert features.center(cnn_scene.layer) == (1 / 8, 0.0)


def test_redirection_covers_every_layer(cnn_scene: Scene) -> None:
    """Inactive units of each layer asked for pass gradient; where only the logits are, none do."""
    images = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    for layers, changes in ((["first_relu", "second_relu"], True), ([LOGITS], False)):
        features = FeatureExtractor(cnn_scene.network, layers, (SIDE, SIDE), "float32")
        for layer in layers:
            plain, redirected = (
                torch.autograd.grad(-features(images, share)[layer].sum(), images)[0] for share in (0.0, 1.0)
            )
            assert torch.equal(plain, redirected) != changes


def test_logits_of_another_size_are_refused_in_one_line() -> None:
    """A head that takes one size only names the setting that gives the size."""
    module = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 16 * 16, 5))
    module = module.eval().requires_grad_(False)
    network = Network("flat", module, tuple("abcde"), PreprocessingSettings(crop=16), discover_layers(module, 16))
    assert FeatureExtractor(network, [LOGITS], (16, 16), "float32").layers == (LOGITS,)
    with pytest.raises(ConfigError, match=r"^units\.size: expected images .* as far as logits, found 20 × 16 pixels"):
        FeatureExtractor(network, [LOGITS], (20, 16), "float32", size_setting="units.size")


def test_features_are_those_of_the_chosen_call() -> None:
    """Of a module that is called several times, each call has features of its own, with the network's output too."""
    module, preprocessing = build(ODD["relu called three times, in a block"]), PreprocessingSettings(crop=32)
    network = Network("reused", module, tuple("abcde"), preprocessing, discover_layers(module, 32))
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    names = ["relu:1", "relu:2"]
    with torch.no_grad():
        found = FeatureExtractor(network, [*names, LOGITS], (32, 32), "float32")(images)
        first, second = (run_to(module, name, normalize(images, preprocessing)) for name in names)
    torch.testing.assert_close(found["relu:1"], first, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found["relu:2"], second, rtol=1e-4, atol=1e-5)
    assert first.shape != second.shape
