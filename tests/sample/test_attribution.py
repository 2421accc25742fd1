from collections.abc import Callable
from itertools import count

import pytest
import torch
from torch import Tensor, nn

from pipeline.model.build import build, freeze
from pipeline.model.discovery import discover_layers
from pipeline.model.layers import LayerShape, get_layer, run_to
from pipeline.model.positions import at_positions
from pipeline.sample.attribution import attributions, average, relaxed_max_pool
from pipeline.sample.forward import record_forward
from tests.networks.odd import ODD
from tests.networks.odd import build as build_odd

POSITIONS = torch.tensor([[[0, 0], [2, 1], [3, 3]], [[1, 2], [3, 0], [2, 2]]])


CALLED_AGAIN: dict[str, Callable[[], nn.Module]] = {
    "reused": lambda: build_odd(ODD["block called twice"]),
    "recurrent": lambda: build_odd(ODD["recurrent convolution"]),
    "resnet": lambda: freeze(build({"_target_": "torchvision.models.resnet18", "num_classes": 5})),
}


def _logits_after(module: nn.Module, layer: str, images: Tensor, change: Tensor) -> Tensor:
    """Logits of the network with ``change`` added to the layer's output, by a plain hook."""
    calls = count()

    def add(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        return output + change.to(output.dtype) if next(calls) == int(layer.partition(":")[2] or 0) else output

    handle = get_layer(module, layer).register_forward_hook(add)
    try:
        with torch.no_grad():
            logits: Tensor = module(images)
            return logits
    finally:
        handle.remove()


def _finite_difference(module: nn.Module, layer: str, shape: LayerShape, images: Tensor) -> Tensor:
    """Change of the logits when each sampled activation alone grows, per unit of itself; double precision."""
    module, images = module.double(), images.double()
    with torch.no_grad():
        output = run_to(module, layer, images)
    grid, step = shape.to_map(output), 1e-5
    values = at_positions(grid, POSITIONS)
    result = []
    for number in range(POSITIONS.shape[1]):
        tangent = torch.zeros_like(grid)
        for image in range(len(images)):
            y, x = POSITIONS[image, number]
            tangent[image, :, y, x] = values[image, number]
        change = step * shape.from_map(tangent)
        up, down = (_logits_after(module, layer, images, sign * change) for sign in (1, -1))
        result.append((up - down) / (2 * step))
    module.float()
    return torch.stack(result, dim=1)


@pytest.mark.parametrize(
    ("network", "layer"),
    [
        ("cnn", "first"),
        ("cnn", "pool"),
        ("cnn", "second_relu"),
        ("vit", "conv_proj"),
        ("vit", "encoder.layers.encoder_layer_0.mlp"),
        ("reused", "relu:0"),
        ("reused", "relu:1"),
        ("reused", "relu:2"),
        ("reused", "block:1"),
        ("recurrent", "step:1"),
        ("resnet", "layer2.0.relu:0"),
        ("resnet", "layer2.0.relu:1"),
    ],
)
def test_attribution_is_the_derivative_along_the_activation(
    network: str, layer: str, request: pytest.FixtureRequest
) -> None:
    """Attribution equals a finite difference of every logit along the sampled activation, in CNNs and transformers.

    Where a module is called several times, only the layer's own call changes.
    """
    module: nn.Module = CALLED_AGAIN[network]() if network in CALLED_AGAIN else request.getfixturevalue(network)
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    shape = discover_layers(module, 32)[layer]
    with torch.no_grad():
        found = attributions(module, layer, shape, images, record_forward(module, [layer], images)[layer], POSITIONS)
    expected = _finite_difference(module, layer, shape, images).float()
    assert expected.abs().max() > 1e-3
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5)


def test_a_normalized_residual_stream_has_no_attribution(vit: nn.Module) -> None:
    """Layer norm discards a token's norm, so before a transformer's last block patch tokens have almost none."""
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    found = {}
    for layer in ("encoder.layers.encoder_layer_0", "encoder.layers.encoder_layer_0.mlp"):
        shape = discover_layers(vit, 32)[layer]
        with torch.no_grad():
            recorded = record_forward(vit, [layer], images)[layer]
            found[layer] = attributions(vit, layer, shape, images, recorded, POSITIONS).abs().max()
    assert found["encoder.layers.encoder_layer_0"] < 1e-3 * found["encoder.layers.encoder_layer_0.mlp"]


def test_attribution_belongs_to_one_position(cnn: nn.Module) -> None:
    """The attribution of a position does not depend on which other positions of its image are sampled."""
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    shape = discover_layers(cnn, 32)["pool"]
    with torch.no_grad():
        recorded = record_forward(cnn, ["pool"], images)["pool"]
        together = attributions(cnn, "pool", shape, images, recorded, POSITIONS)
        alone = attributions(cnn, "pool", shape, images, recorded, POSITIONS[:, 1:2])
    torch.testing.assert_close(together[:, 1:2], alone)
    assert not torch.allclose(together[:, 0:1], alone)


def test_attribution_of_the_last_layer_adds_up_to_the_logit(cnn: nn.Module) -> None:
    """Where only a mean and a linear head follow, the attributions of all positions and the bias give the logit."""
    images = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(4))
    shape = discover_layers(cnn, 32)["second_relu"]
    everywhere = torch.cartesian_prod(torch.arange(shape.height), torch.arange(shape.width))[None]
    with torch.no_grad():
        recorded = record_forward(cnn, ["second_relu"], images)["second_relu"]
        found = attributions(cnn, "second_relu", shape, images, recorded, everywhere)
        expected = cnn(images) - get_layer(cnn, "head").bias
    torch.testing.assert_close(found.sum(1), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rule", ["none", "avg", "l2"])
def test_relaxed_pooling_keeps_values_and_changes_tangents(rule: str) -> None:
    """Every rule gives max-pooling's values; each has the tangent its formula says, and ``none`` follows the winner."""
    pool = nn.MaxPool2d(2, 2)
    generator = torch.Generator().manual_seed(5)
    values, tangent = (torch.randn(1, 2, 4, 4, generator=generator) for _ in range(2))
    with relaxed_max_pool(pool, rule):
        pooled, change = torch.func.jvp(pool, (values,), (tangent,))[:2]
    torch.testing.assert_close(pooled, nn.functional.max_pool2d(values, 2))

    def smooth(inputs: Tensor) -> Tensor:
        return average(inputs.square(), pool) / (1e-2 + average(inputs.abs(), pool))

    expected = {
        "none": torch.func.jvp(lambda x: nn.functional.max_pool2d(x, 2), (values,), (tangent,))[1],
        "avg": nn.functional.avg_pool2d(tangent, 2),
        "l2": torch.func.jvp(smooth, (values,), (tangent,))[1],
    }
    torch.testing.assert_close(change, expected[rule])
    others = [value for name, value in expected.items() if name != rule]
    assert not any(torch.allclose(change, other) for other in others)


def test_relaxation_ends_with_its_block() -> None:
    """After the block a pooling module has its own derivative again."""
    pool = nn.MaxPool2d(2, 2)
    values = torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(6))
    with relaxed_max_pool(pool, "avg"):
        pass
    change = torch.func.jvp(pool, (values,), (values,))[1]
    torch.testing.assert_close(change, nn.functional.max_pool2d(values, 2))
