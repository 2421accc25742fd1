from collections.abc import Callable
from itertools import count

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.model.build import build, freeze
from pipeline.model.discovery import discover_layers
from pipeline.model.layers import get_layer, run_to
from pipeline.model.positions import at_positions
from pipeline.sample.attribution import attributions
from pipeline.sample.forward import record_forward
from pipeline.sample.max_pool import average, relaxed_max_pool
from tests.networks.unusual_outputs import ODD
from tests.networks.unusual_outputs import build as build_odd

STEPS = 16
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


def _attributions(
    module: nn.Module,
    layer: str,
    images: Tensor,
    *,
    positions: Tensor = POSITIONS,
    baseline: Tensor | None = None,
    steps: int = 1,
) -> Tensor:
    """Attributions at the positions, against zero unless a baseline is given."""
    shape = discover_layers(module, images.shape[-1])[layer]
    baseline = torch.zeros(shape.channels) if baseline is None else baseline
    with torch.no_grad():
        recorded = record_forward(module, [layer], images)[layer]
        return attributions(module, layer, shape, images, recorded, positions, baseline, steps)[0]


def _finite_difference(module: nn.Module, layer: str, images: Tensor, baseline: Tensor) -> Tensor:
    """Change of the logits when each sampled activation alone moves from the baseline, per way; double precision.

    It moves further away only: a unit that a ReLU has set to 0 has two derivatives if another ReLU follows, and torch
    takes the one that is 0.
    """
    shape = discover_layers(module, images.shape[-1])[layer]
    module, images = module.double(), images.double()
    with torch.no_grad():
        output = run_to(module, layer, images)
    grid, step = shape.to_map(output), 1e-6
    values = at_positions(grid, POSITIONS) - baseline.double()
    result = []
    for number in range(POSITIONS.shape[1]):
        tangent = torch.zeros_like(grid)
        for image in range(len(images)):
            y, x = POSITIONS[image, number]
            tangent[image, :, y, x] = values[image, number]
        change = step * shape.from_map(tangent)
        here, beyond = (_logits_after(module, layer, images, sign * change) for sign in (0, 1))
        result.append((beyond - here) / step)
    module.float()
    return torch.stack(result, dim=1)


LAYERS = (
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
)
# max-pooling follows, where units that are 0 are equal: a step away from the mean has no derivative there
TIES = ("reused", "relu:1", "mean")


@pytest.mark.parametrize(
    ("network", "layer", "against"),
    sorted({(*layer, against) for layer in LAYERS for against in ("zero", "mean")} - {TIES}),
)
def test_attribution_is_the_derivative_along_the_activation(
    network: str, layer: str, against: str, request: pytest.FixtureRequest
) -> None:
    """Attribution equals a finite difference of every logit on the way from the baseline, in CNNs and transformers.

    Where a module is called several times, only the layer's own call changes.
    """
    module: nn.Module = CALLED_AGAIN[network]() if network in CALLED_AGAIN else request.getfixturevalue(network)
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    shape = discover_layers(module, 32)[layer]
    with torch.no_grad():
        mean = shape.to_map(run_to(module, layer, images)).mean((0, 2, 3))
    baselines = {"zero": torch.zeros_like(mean), "mean": mean}
    found = _attributions(module, layer, images, baseline=baselines[against])
    expected = {name: _finite_difference(module, layer, images, value).float() for name, value in baselines.items()}
    assert expected[against].abs().max() > 1e-3
    torch.testing.assert_close(found, expected.pop(against), rtol=1e-3, atol=1e-5)
    assert not torch.allclose(found, expected.popitem()[1], rtol=1e-2, atol=1e-4)


def test_a_normalized_residual_stream_has_no_attribution(vit: nn.Module) -> None:
    """Layer norm discards a token's norm, so before a transformer's last block patch tokens have almost none."""
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    last, mlp = (
        _attributions(vit, f"encoder.layers.encoder_layer_0{part}", images).abs().max() for part in ("", ".mlp")
    )
    assert last < 1e-3 * mlp


def test_attribution_belongs_to_one_position(cnn: nn.Module) -> None:
    """The attribution of a position does not depend on which other positions of its image are sampled."""
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    for steps in (1, 3):
        together = _attributions(cnn, "pool", images, steps=steps)
        alone = _attributions(cnn, "pool", images, positions=POSITIONS[:, 1:2], steps=steps)
        torch.testing.assert_close(together[:, 1:2], alone)
        assert not torch.allclose(together[:, 0:1], alone)


def test_attribution_of_the_last_layer_adds_up_to_the_logit(cnn: nn.Module) -> None:
    """Where only a mean and a linear head follow, the attributions of all positions and the bias give the logit."""
    images = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(4))
    shape = discover_layers(cnn, 32)["second_relu"]
    everywhere = torch.cartesian_prod(torch.arange(shape.height), torch.arange(shape.width))[None]
    found = _attributions(cnn, "second_relu", images, positions=everywhere)
    with torch.no_grad():
        expected = cnn(images) - get_layer(cnn, "head").bias
    torch.testing.assert_close(found.sum(1), expected, rtol=1e-4, atol=1e-5)


def _linear_network() -> nn.Sequential:
    """A layer ``0``, then a mean over the map and a linear head: logits are linear in the layer's output."""
    with torch.random.fork_rng():
        torch.manual_seed(7)
        return nn.Sequential(nn.Conv2d(3, 5, 3, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 4)).eval()


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_linear_network_has_a_closed_form(steps: int) -> None:
    """Any number of steps gives head · (activation - baseline) / positions; another baseline does not."""
    module, generator = _linear_network(), torch.Generator().manual_seed(8)
    images, baseline = torch.randn(2, 3, 8, 8, generator=generator), torch.randn(5, generator=generator)
    with torch.no_grad():
        values = at_positions(module[0](images), POSITIONS)
        closed = functional.linear(values - baseline, module.get_parameter("3.weight")) / 16
    torch.testing.assert_close(_attributions(module, "0", images, baseline=baseline, steps=steps), closed)
    assert not torch.allclose(_attributions(module, "0", images, steps=steps), closed, atol=1e-3)


@pytest.mark.parametrize(("network", "layer"), [("cnn", "first"), ("vit", "encoder.layers.encoder_layer_0.mlp")])
def test_integrated_attributions_are_complete(network: str, layer: str, request: pytest.FixtureRequest) -> None:
    """They add up to the logit less that with the baseline in the activation's place; one tangent alone does not."""
    module: nn.Module = request.getfixturevalue(network)
    images = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(9))
    shape = discover_layers(module, 32)[layer]
    with torch.no_grad():
        output = run_to(module, layer, images)
        grid, logits = shape.to_map(output), module(images)
    baseline, (y, x) = 3 * grid.mean((0, 2, 3)), POSITIONS[0, 0].tolist()  # a long way, so that the logits bend
    change = torch.zeros_like(grid)
    change[0, :, y, x] = baseline - grid[0, :, y, x]
    expected = (logits - _logits_after(module, layer, images, shape.from_map(change)))[0]
    error = {}
    for steps in (1, STEPS):
        found = _attributions(module, layer, images, positions=POSITIONS[:1, :1], baseline=baseline, steps=steps)[0, 0]
        error[steps] = (found - expected).abs().max() / expected.abs().max()
    assert error[STEPS] < 0.05
    assert error[1] > 3 * error[STEPS]


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


def test_tangents_give_the_logits_of_the_images(cnn: nn.Module) -> None:
    """With one step they are those of a plain pass; several steps, and backward passes, give none."""
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    shape = discover_layers(cnn, 32)["first_relu"]
    with torch.no_grad():
        plain = cnn(images)
        recorded = record_forward(cnn, ["first_relu"], images)["first_relu"]
        found = attributions(cnn, "first_relu", shape, images, recorded, POSITIONS)[1]
        several = attributions(cnn, "first_relu", shape, images, recorded, POSITIONS, steps=3)[1]
        backward = attributions(cnn, "first_relu", shape, images, recorded, POSITIONS, method="backward")[1]
    assert found is not None
    torch.testing.assert_close(found, plain)
    assert several is None
    assert backward is None
