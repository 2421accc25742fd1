"""Attributions of networks whose operations after the layer do not allow plain tangents."""

from functools import partial
from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from pipeline.config.sample import SampleSettings
from pipeline.core.errors import ModelError
from pipeline.model.build import freeze
from pipeline.model.convention import noise
from pipeline.model.description import LayerShape
from pipeline.model.discovery import discover_layers
from pipeline.model.interventions import replace_output
from pipeline.model.layers import run_to
from pipeline.sample.attribution import Method, attributions
from pipeline.sample.attribution_method import attribution_method
from pipeline.sample.forward import record_forward
from tests import odd_networks
from tests.odd_networks import SIDE

POSITIONS = torch.tensor([[[0, 0], [7, 3], [15, 15]], [[1, 2], [9, 9], [4, 8]]])
PLAIN = [
    ("Plain", "first"),
    ("InPlaceProduct", "short"),
    ("InPlaceWithImage", "first"),
    ("FilledBuffer", "first"),
    ("GatedHead", "first"),
]
IN_PLACE = [("InPlaceSum", "short"), ("InPlaceSlice", "short"), ("InPlaceShift", "short")]
BACKWARD = [("BackwardOnly", "first"), ("RecurrentHead", "short"), ("BackwardOnlyNewStyle", "first")]


def finite_difference(module: nn.Module, layer: str, shape: LayerShape, images: Tensor) -> Tensor:
    """Change of the logits for each sampled activation by itself, per unit of itself; double precision."""
    module, images, step = module.double(), images.double(), 1e-5
    grid = shape.to_map(run_to(module, layer, images))
    found = []
    for number in range(POSITIONS.shape[1]):
        change = torch.zeros_like(grid)
        for image, (y, x) in enumerate(POSITIONS[:, number]):
            change[image, :, y, x] = grid[image, :, y, x]
        logits = []
        for sign in (step, -step):
            with replace_output(module, layer, partial(torch.add, other=shape.from_map(sign * change))):
                logits.append(module(images))
        found.append((logits[0] - logits[1]) / (2 * step))
    module.float()
    return torch.stack(found, 1).float()


@pytest.mark.parametrize(
    ("name", "layer", "method"),
    [
        *((*one, "tangents") for one in PLAIN),
        *((*one, "tangents_of_copies") for one in IN_PLACE),
        *((*one, "backward") for one in BACKWARD),
    ],
)
def test_attributions_are_derivatives_by_every_method(name: str, layer: str, method: Method) -> None:
    """The method that is found, and any later one, gives the finite difference; what costs more says so."""
    torch.manual_seed(0)
    module = freeze(getattr(odd_networks, name)())
    shape, images = discover_layers(module, SIDE)[layer], noise(SIDE)
    found, note = attribution_method(module, layer, shape, SIDE, SampleSettings())
    assert found == method
    assert (note is not None) == (method == "backward")
    expected = finite_difference(module, layer, shape, images)
    assert expected.abs().max() > 1e-5
    for used in {found, "backward"}:
        with torch.no_grad():
            recorded = record_forward(module, [layer], images)[layer]
            values, _ = attributions(module, layer, shape, images, recorded, POSITIONS, method=used)
        torch.testing.assert_close(values, expected, rtol=1e-3, atol=1e-6)


def test_integrated_attributions_are_the_same_by_every_method() -> None:
    """Against a baseline, over several steps, the methods agree; with another baseline they differ."""
    torch.manual_seed(0)
    module = freeze(odd_networks.Plain())
    shape, images = discover_layers(module, SIDE)["first"], noise(SIDE)
    baseline = torch.linspace(-1, 1, shape.channels)
    with torch.no_grad():
        recorded = record_forward(module, ["first"], images)["first"]
        by_method = [
            attributions(module, "first", shape, images, recorded, POSITIONS, baseline, 3, method)[0]
            for method in ("tangents", "tangents_of_copies", "backward")
        ]
        from_zero = attributions(module, "first", shape, images, recorded, POSITIONS, None, 3, "backward")[0]
    for found in by_method[1:]:
        torch.testing.assert_close(found, by_method[0], rtol=1e-3, atol=1e-6)
    assert not torch.allclose(from_zero, by_method[0], rtol=1e-2, atol=1e-5)


@pytest.mark.parametrize(("name", "operation"), [("Numpy", "numpy()"), ("Detached", "torch.Tensor.detach")])
def test_a_derivative_that_is_stopped_is_refused(name: str, operation: str) -> None:
    """Logits that depend on the layer without a derivative name the layer, the operation, its line and the way out."""
    module = freeze(getattr(odd_networks, name)())
    shape = discover_layers(module, SIDE)["first"]
    with pytest.raises(ModelError) as caught:
        attribution_method(module, "first", shape, SIDE, SampleSettings())
    for part in ("with respect to 'first'", operation, "at tests/odd_networks.py:", "sample.attribution=false"):
        assert part in str(caught.value)


def test_a_silent_layer_has_attributions_of_zero() -> None:
    """A layer whose activations are all zero is no error here, although its attributions are zero too."""
    module = odd_networks.Plain()
    freeze(module)
    shape = discover_layers(module, SIDE)["short"]
    module.short.weight.zero_()
    module.short.bias.zero_()  # type: ignore[union-attr]  # it has one
    assert attribution_method(module, "short", shape, SIDE, SampleSettings()) == ("tangents", None)


@pytest.mark.parametrize("rule", ["avg", "l2"])
def test_relaxed_max_pooling_is_named_where_forward_mode_fails(rule: Literal["avg", "l2"]) -> None:
    """Its rules have no backward pass, so none is tried; without a rule the network has attributions by that pass."""
    torch.manual_seed(0)
    module = freeze(odd_networks.BackwardOnly())
    shape = discover_layers(module, SIDE)["first"]
    assert attribution_method(module, "first", shape, SIDE, SampleSettings())[0] == "backward"
    with pytest.raises(
        ModelError, match=r"sample\.max_pool=none, an operation of torch that has one, or sample\.attrib"
    ):
        attribution_method(module, "first", shape, SIDE, SampleSettings(max_pool=rule))


class _TangentsOfFloat32(torch.autograd.Function):
    """The identity, which has a forward-mode derivative for float32 alone."""

    @staticmethod
    def forward(values: Tensor) -> Tensor:
        return values.clone()

    @staticmethod
    def setup_context(ctx: object, inputs: tuple[Tensor], output: Tensor) -> None:
        pass

    @staticmethod
    def vmap(_info: object, _in_dims: tuple[int | None], values: Tensor) -> tuple[Tensor, int | None]:
        return _TangentsOfFloat32.apply(values), _in_dims[0]

    @staticmethod
    def jvp(_ctx: object, tangent: Tensor) -> Tensor:
        if tangent.dtype != torch.float32:
            raise RuntimeError(f"no tangents of {tangent.dtype}")
        return tangent.clone()

    @staticmethod
    def backward(_ctx: object, gradient: Tensor) -> Tensor:
        return gradient.clone()


class _Picky(odd_networks.Plain):
    def finish(self, grid: Tensor) -> Tensor:
        return super().finish(_TangentsOfFloat32.apply(grid))  # type: ignore[no-any-return]  # torch's own


@pytest.mark.parametrize(("dtype", "method"), [("float32", "tangents"), ("bfloat16", "backward")])
def test_a_method_is_tried_in_the_number_type_of_the_run(dtype: Literal["float32", "bfloat16"], method: Method) -> None:
    """An operation that has tangents for float32 alone gets backward passes in a run in bfloat16, which then work."""
    torch.manual_seed(0)
    module = freeze(_Picky())
    shape = discover_layers(module, SIDE)["first"]
    assert attribution_method(module, "first", shape, SIDE, SampleSettings(dtype=dtype))[0] == method
