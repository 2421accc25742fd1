from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline.core.errors import ArtifactError
from pipeline.images.toytown.toytown import Toytown
from pipeline.synthesize.feed_forward import (
    FeedForwardConfig,
    StyleNetwork,
    apply_style_network,
    load_style_network,
    style_network_bytes,
    train_style_network,
)
from pipeline.synthesize.style_transfer import (
    StyleLayers,
    TransferConfig,
    TransferLosses,
    style_grams,
    transfer_style,
)
from tests.synthesize.small_scene import MIDDLE, SIDE, WIDE, Textural, blobs, small_network, stripes
from tests.toytown_truth import network as demo_network

LAYERS = StyleLayers(MIDDLE, {WIDE: 1.0, MIDDLE: 1.0})
QUICK = FeedForwardConfig(width=8, blocks=1, steps=100, side=24, learning_rate=1e-2, total_variation=0.0)


def trained(seed: int = 0, settings: FeedForwardConfig = QUICK) -> StyleNetwork:
    """A network of the stripes' style, trained on smooth images."""
    network = small_network(Textural)
    grams = style_grams(network, LAYERS, stripes()[None])
    return train_style_network(network, LAYERS, blobs(12, seed=13), grams, 0.03, settings, seed)


def test_a_trained_network_brings_unseen_images_nearer_to_the_style() -> None:
    """The style loss of images that it was not trained on falls below half."""
    network, photographs = small_network(Textural), blobs(3, seed=14)
    losses = TransferLosses(network, LAYERS, (SIDE, SIDE))
    content = losses.content(photographs)
    style = losses.style(style_grams(network, LAYERS, stripes()[None]), 3)
    before = losses.measured(photographs, content, style)
    after = losses.measured(apply_style_network(trained(), photographs), content, style)
    assert (after.style_losses < before.style_losses / 2).all(), (after.style_losses, before.style_losses)


def test_the_untrained_network_is_the_identity_at_any_size() -> None:
    """Odd sizes come back as they are."""
    images = blobs(1, seed=15, side=40)[:, :, :37, :21]
    torch.testing.assert_close(
        apply_style_network(StyleNetwork(4, 1), images.clamp(0.01, 0.99)), images.clamp(0.01, 0.99)
    )


def test_a_seed_decides_and_progress_is_counted() -> None:
    """The same seed gives the same weights, another one others; each step is told once."""
    few = FeedForwardConfig(width=4, blocks=1, steps=3, side=24)
    first, again, other = (trained(seed, few).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["to_image.weight"], other["to_image.weight"])
    counted: list[int] = []
    network = small_network(Textural)
    grams = style_grams(network, LAYERS, stripes()[None])
    train_style_network(network, LAYERS, blobs(2, seed=1), grams, 0.1, few, 0, progress=counted.append)
    assert counted == [1, 1, 1]


def test_saved_weights_come_back(tmp_path: Path) -> None:
    """The loaded network makes the same images; a file of another network, or none, is refused."""
    settings = FeedForwardConfig(width=4, blocks=1, steps=2, side=24)
    network, images = trained(0, settings), blobs(1, seed=16)
    path = tmp_path / "style.safetensors"
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    path.write_bytes(style_network_bytes(weights, settings))
    loaded = load_style_network(path)
    assert torch.equal(apply_style_network(loaded, images), apply_style_network(network, images))
    path.write_bytes(style_network_bytes({"other": np.zeros(3, np.float32)}, settings))
    with pytest.raises(ArtifactError, match=r"style\.safetensors: expected the weights of a style network"):
        load_style_network(path)
    with pytest.raises(ArtifactError, match="run the stage synthesize again"):
        load_style_network(tmp_path / "none.safetensors")


def scenes(count: int, seed: int) -> Tensor:
    """Toytown scenes, [image, 3, 64, 64]."""
    toytown = Toytown(count, seed=seed)
    pixels = np.stack([np.asarray(toytown.scene(number).image) for number in range(count)])
    return torch.from_numpy(pixels).movedim(-1, 1) / 255


@pytest.mark.long
def test_one_pass_is_nearly_as_good_as_an_optimization() -> None:
    """On scenes that were held out the loss is within 1.5 times that of the optimized images."""
    network = demo_network(learned=True)
    layers = StyleLayers("mixed3b", dict.fromkeys(("stem2", "mixed3a", "mixed3b"), 1.0))
    style_image, held_out, weight = scenes(8, seed=5)[5:6], scenes(8, seed=1), 0.3
    grams = style_grams(network, layers, style_image)
    settings = FeedForwardConfig(side=64)
    one_pass = train_style_network(network, layers, scenes(200, seed=0), grams, weight, settings, 0)
    losses = TransferLosses(network, layers, (64, 64))
    content, style = losses.content(held_out), losses.style(grams, len(held_out))
    found = losses.measured(apply_style_network(one_pass, held_out), content, style).total(weight)
    optimized = transfer_style(network, layers, held_out, grams, weight, TransferConfig()).total(weight)
    unchanged = losses.measured(held_out, content, style).total(weight)
    assert found.mean() < 1.5 * optimized.mean(), (found, optimized)
    assert unchanged.mean() > 2 * optimized.mean(), "the photographs themselves are far"
