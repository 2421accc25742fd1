import torch

from pipeline.synthesize.style_transfer import (
    StyleLayers,
    TransferConfig,
    TransferLosses,
    blended_grams,
    style_grams,
    sweep_content_weight,
    transfer_style,
)
from tests.synthesize.small_scene import MIDDLE, SIDE, WIDE, Textural, blobs, checks, small_network, stripes

LAYERS = StyleLayers(MIDDLE, {WIDE: 1.0, MIDDLE: 1.0})
SETTINGS = TransferConfig(steps=256, total_variation=0.0)


def test_the_style_is_taken_on() -> None:
    """The style loss falls below a tenth of the photograph's own, and what is returned is what is measured."""
    network, photographs = small_network(Textural), blobs(2, seed=9)
    grams = style_grams(network, LAYERS, stripes()[None])
    losses = TransferLosses(network, LAYERS, (SIDE, SIDE))
    content, style = losses.content(photographs), losses.style(grams, 2)
    before = losses.measured(photographs, content, style)
    torch.testing.assert_close(before.content_losses, torch.zeros(2))
    found = transfer_style(network, LAYERS, photographs, grams, 0.003, SETTINGS)
    assert (found.style_losses < before.style_losses / 10).all(), (found.style_losses, before.style_losses)
    measured = losses.measured(found.images, content, style)
    torch.testing.assert_close(measured.total(0.5), found.style_losses + 0.5 * found.content_losses)


def test_a_higher_content_weight_keeps_more_of_the_content() -> None:
    """Over a sweep the content loss falls and the style loss rises."""
    network, photograph = small_network(Textural), blobs(1, seed=10)[0]
    grams = style_grams(network, LAYERS, stripes()[None])
    found = sweep_content_weight(network, LAYERS, photograph, grams, [0.01, 0.3, 10.0], SETTINGS)
    assert (found.content_losses.diff() < 0).all(), found.content_losses
    assert (found.style_losses.diff() > 0).all(), found.style_losses


def test_a_photograph_alone_is_as_in_a_batch() -> None:
    """An image depends neither on the others nor on their weights."""
    network, photographs = small_network(Textural), blobs(2, seed=11)
    grams = style_grams(network, LAYERS, stripes()[None])
    few = TransferConfig(steps=8)
    together = transfer_style(network, LAYERS, photographs, grams, [1.0, 0.1], few).images
    alone = transfer_style(network, LAYERS, photographs[1:], grams, 0.1, few).images
    torch.testing.assert_close(alone, together[1:], atol=1e-3, rtol=0)


def test_a_blend_lies_between_both_styles() -> None:
    """An image in half of each style is nearer to either than an image in the other one is."""
    network = small_network(Textural)
    grams = style_grams(network, LAYERS, torch.stack([stripes(), checks()]))
    shares = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    blends = blended_grams(grams, shares)
    torch.testing.assert_close(blends[WIDE][1], grams[WIDE].mean(0))
    photographs = blobs(1, seed=12).expand(3, -1, -1, -1).contiguous()
    found = transfer_style(network, LAYERS, photographs, blends, 0.01, SETTINGS).images
    losses = TransferLosses(network, LAYERS, (SIDE, SIDE))
    content = losses.content(photographs)
    first, second = (
        losses.measured(found, content, losses.style({layer: one[k : k + 1] for layer, one in grams.items()}, 3))
        for k in range(2)
    )
    assert (first.style_losses.diff() > 0).all(), first.style_losses
    assert (second.style_losses.diff() < 0).all(), second.style_losses
