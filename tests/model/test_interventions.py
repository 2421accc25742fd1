from itertools import count

import pytest
import torch
from torch import Tensor, nn

from pipeline.config.model import PreprocessingSettings
from pipeline.model.discovery import discover_layers
from pipeline.model.interventions import intervened_logits
from pipeline.model.layers import get_layer
from pipeline.model.network import Network
from tests.networks.unusual_outputs import ODD, build

POSITIONS = torch.tensor([[0, 1], [3, 2], [1, 1]])
KEEP = torch.tensor([1.0, 0.0, 1.0, 0.5])


def logits_with_hook(
    network: Network, layer: str, intervention: int, image: Tensor, number: int, add: Tensor, relative: bool
) -> Tensor:
    """Logits [class] of one image after one intervention, by a plain hook."""
    shape = network.layers[layer]
    y, x = POSITIONS[number].tolist()
    place = (0, shape.prefix + y * shape.width + x) if shape.kind == "tokens" else (0, slice(None), y, x)

    calls = count()

    def intervene(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        if next(calls) != int(layer.partition(":")[2] or 0):
            return output
        output = output.clone()
        before = output[place].clone()
        scale = before.norm() if relative else torch.ones(())
        output[place] = KEEP[intervention] * before + scale * add
        return output

    handle = get_layer(network.module, layer).register_forward_hook(intervene)
    try:
        with torch.no_grad():
            logits: Tensor = network.module(image[None])
            return logits[0]
    finally:
        handle.remove()


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize(
    ("which", "layer"),
    [
        ("cnn", "first"),
        ("cnn", "second_relu"),
        ("vit", "conv_proj"),
        ("vit", "encoder.layers.encoder_layer_0"),
        ("vit", "encoder.layers.encoder_layer_0.mlp"),
        ("relu called three times, in a block", "relu:1"),
        ("relu called three times, in a block", "relu:2"),
        ("recurrent convolution", "step:2"),
    ],
)
def test_interventions_equal_one_pass_each(
    which: str, layer: str, relative: bool, request: pytest.FixtureRequest
) -> None:
    """Interventions computed together give the logits of one pass each, in maps, tokens and one call of several."""
    module: nn.Module = build(ODD[which]) if which in ODD else request.getfixturevalue(which)
    shapes = discover_layers(module, 32)
    network = Network("n", module, ("a", "b", "c", "d", "e"), PreprocessingSettings(crop=32), shapes)
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(3, 3, 32, 32, generator=generator)
    add = torch.randn(len(KEEP), 3, shapes[layer].channels, generator=generator)
    add[0] = 0
    found = intervened_logits(network, layer, images, POSITIONS, KEEP, add, relative)
    for intervention, of_images in enumerate(found):
        for number, logits in enumerate(of_images):
            expected = logits_with_hook(
                network, layer, intervention, images[number], number, add[intervention, number], relative
            )
            torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        torch.testing.assert_close(found[0], module(images), rtol=1e-4, atol=1e-4)
    assert (found[1] - found[0]).abs().max() > 1e-3
