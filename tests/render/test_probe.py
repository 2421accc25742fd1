import pytest
import torch

from pipeline.model.layers import run_to
from pipeline.model.preprocessing import normalise
from pipeline.render.probe import Probe
from tests.render.scene import SIDE, Scene


def test_it_says_what_the_layer_says_at_the_centre(cnn_scene: Scene) -> None:
    """The activation at the middle of the map, as a plain pass of the whole network gives it."""
    pictures = torch.rand(3, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    network = cnn_scene.network
    grid = run_to(network.module, cnn_scene.layer, normalise(pictures, network.preprocessing))
    found = Probe(network, cnn_scene.layer, SIDE, "float32")(pictures)
    torch.testing.assert_close(found, grid[:, :, grid.shape[2] // 2, grid.shape[3] // 2])
    assert (found - grid[:, :, 0, 0]).abs().max() > 0.01


def test_tokens_are_seen_at_the_network_s_own_size(vit_scene: Scene) -> None:
    """A transformer has one input size; its centre is the token of the middle patch, class token left out."""
    look = Probe(vit_scene.network, vit_scene.layer, 20, "float32")
    assert look.size == SIDE
    pictures = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    tokens = run_to(vit_scene.network.module, vit_scene.layer, normalise(pictures, vit_scene.network.preprocessing))
    torch.testing.assert_close(look(pictures), tokens[:, 1 + 2 * 4 + 2])


def test_bfloat16_is_near_float32_and_leaves_the_network_alone(cnn_scene: Scene) -> None:
    """The narrow pass rounds, it does not change what is seen; the given network keeps its weights."""
    pictures = torch.rand(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    exact = Probe(cnn_scene.network, cnn_scene.layer, SIDE, "float32")(pictures)
    narrow = Probe(cnn_scene.network, cnn_scene.layer, SIDE, "bfloat16")(pictures)
    assert narrow.dtype == torch.float32
    assert 0 < (narrow - exact).abs().max() < 0.03 * exact.abs().max()
    assert all(parameter.dtype == torch.float32 for parameter in cnn_scene.network.module.parameters())


@pytest.mark.parametrize(("size", "expected"), [(32, 1 / 8), (28, 0.0), (24, 1 / 6)])
def test_an_even_map_looks_half_a_position_further(cnn_scene: Scene, size: int, expected: float) -> None:
    """Maps of 8, 7 and 6 positions: the middle of an even one lies half a position off the picture's middle."""
    assert Probe(cnn_scene.network, cnn_scene.layer, size, "float32").target == (expected, expected)
