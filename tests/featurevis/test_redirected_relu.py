from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, gelu, max_pool2d, relu, relu6, silu

from pipeline.config.model import PreprocessingSettings
from pipeline.config.render import RenderSettings
from pipeline.featurevis.redirected_relu import redirect_relus
from pipeline.featurevis.renderer import to_uint8
from pipeline.model.discovery import discover_layers
from pipeline.model.network import Network
from pipeline.render.fidelity import FidelityMeasure
from tests.featurevis.rendering import optimized
from tests.featurevis.scene import SIDE, Scene

Layer = Callable[[Tensor], Tensor]


def convolved(planes: Tensor, seed: int = 0) -> Tensor:
    """A seeded 1 × 1 convolution of planes [icon, 4, y, x]."""
    weight = torch.randn(4, 4, 1, 1, generator=torch.Generator().manual_seed(seed))
    return torch.conv2d(planes, weight)


def fire(planes: Tensor) -> Tensor:
    """Two ReLU branches side by side, as SqueezeNet's Fire module ends."""
    return torch.cat([relu(convolved(planes)), nn.ReLU()(convolved(planes, 1))], dim=1)


def residual(planes: Tensor) -> Tensor:
    """A ReLU after a sum, as ResNet's block ends; the one inside the branch does not end the layer."""
    return relu(planes + convolved(relu(convolved(planes)), 1))


FOUND: dict[str, tuple[Layer, int]] = {
    "module": (lambda planes: nn.ReLU()(convolved(planes)), 1),
    "function": (lambda planes: relu(convolved(planes)), 1),
    "in place": (lambda planes: nn.ReLU(inplace=True)(convolved(planes)), 1),
    "clamp at six": (lambda planes: relu6(convolved(planes)), 1),
    "two branches": (fire, 2),
    "max pool after it": (lambda planes: max_pool2d(relu(convolved(planes)), 2), 1),
    "residual block": (residual, 1),
    "copied and turned": (lambda planes: relu(convolved(planes)).clone().movedim(1, -1), 1),
    "narrow": (lambda planes: relu(convolved(planes).bfloat16()).float(), 1),
}
NOT_FOUND: dict[str, Layer] = {
    "convolution": convolved,
    "convolution after a ReLU": lambda planes: convolved(relu(planes)),
    "gelu": lambda planes: gelu(convolved(planes)),
    "silu": lambda planes: silu(convolved(planes)),
    "sum of ReLU branches": lambda planes: relu(planes) + relu(convolved(planes)),
    "mean of a rectified map": lambda planes: avg_pool2d(relu(convolved(planes)), 2),
}


def planes() -> Tensor:
    """Input planes [3, 4, 6, 6] that want a gradient."""
    return torch.randn(3, 4, 6, 6, generator=torch.Generator().manual_seed(5)).requires_grad_(True)


def at_the_end(layer: Layer, share: float | None) -> tuple[Tensor, Tensor]:
    """The gradient of a planted loss by a layer's input, plain (None) or with a share redirected, and what was asked.

    The loss falls where some units rise and others fall.
    """
    given = planes()
    output = layer(given)
    asked = torch.randn(output.shape, generator=torch.Generator().manual_seed(6))
    if share is not None:
        redirect_relus(output, share)
    return torch.autograd.grad((output * asked).sum(), given)[0], asked


@pytest.mark.parametrize("name", FOUND)
def test_relus_at_the_end_are_found(name: str) -> None:
    """However a layer comes to end in ReLUs, each of them is found, and inactive units pass gradient."""
    layer, count = FOUND[name]
    assert redirect_relus(layer(planes()), 1.0) == count
    assert not torch.equal(at_the_end(layer, 1.0)[0], at_the_end(layer, None)[0])


@pytest.mark.parametrize("name", NOT_FOUND)
def test_nothing_else_is_taken_for_one(name: str) -> None:
    """Where a layer does not end in a ReLU nothing is found and its gradient stays as it is."""
    layer = NOT_FOUND[name]
    assert redirect_relus(layer(planes()), 1.0) == 0
    assert torch.equal(at_the_end(layer, 1.0)[0], at_the_end(layer, None)[0])


def test_without_a_graph_there_is_nothing_to_find() -> None:
    """An output that wants no gradient has no ReLUs to redirect."""
    with torch.no_grad():
        assert redirect_relus(relu(planes()), 1.0) == 0


@pytest.mark.parametrize("layer", [relu, relu6, nn.ReLU(inplace=False)])
@pytest.mark.parametrize("share", [0.25, 1.0])
def test_inactive_units_pass_what_makes_them_rise(layer: Layer, share: float) -> None:
    """An inactive unit passes its share where the loss falls as it rises, else nothing; an active one passes all."""
    found, asked = at_the_end(layer, share)
    speaks = planes() > 0
    assert torch.equal(found[speaks], asked[speaks])
    torch.testing.assert_close(found[~speaks], share * asked[~speaks].clamp(max=0))
    assert (found[~speaks] < 0).any()
    assert (found[~speaks] == 0).any()


def test_units_at_a_ceiling_are_not_silent() -> None:
    """Where a ReLU has a ceiling, units that reached it pass nothing, as without redirection."""
    given = torch.tensor([[-1.0, 2.0, 7.0]] * 2, requires_grad=True)
    output = relu6(given)
    redirect_relus(output, 1.0)
    asked = torch.tensor([[-1.0] * 3, [1.0] * 3])
    (found,) = torch.autograd.grad((output * asked).sum(), given)
    assert found.tolist() == [[-1, -1, 0], [0, 1, 0]]


def test_a_relu_that_is_reached_twice_passes_its_share_once() -> None:
    """The same rectified map twice in a concatenation is one ReLU, and passes no more than the share."""
    given = torch.tensor([[-1.0, 2.0]], requires_grad=True)
    rectified = relu(given)
    output = torch.cat([rectified, rectified], dim=1)
    assert redirect_relus(output, 0.5) == 1
    (found,) = torch.autograd.grad(-output.sum(), given)
    assert found.tolist() == [[-1, -2]]


def test_a_share_of_none_changes_nothing() -> None:
    """With nothing to pass, the gradient is the plain one, bit for bit."""
    for layer, _ in FOUND.values():
        assert torch.equal(at_the_end(layer, 0.0)[0], at_the_end(layer, None)[0])


def test_it_lasts_for_one_pass() -> None:
    """The next pass of the same layer is a plain one: what was hooked went with its graph."""
    layer = nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU())
    (plain,) = torch.autograd.grad(layer(given := planes()).sum().neg(), given)
    output = layer(given)
    assert redirect_relus(output, 1.0) == 1
    (redirected,) = torch.autograd.grad(output.sum().neg(), given)
    (after,) = torch.autograd.grad(layer(given).sum().neg(), given)
    assert torch.equal(plain, after)
    assert not torch.equal(plain, redirected)


class Silent(nn.Module):
    """A layer whose second unit is zero for gray images and noise: it requires much red and no blue."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(3, 2, 9, padding=4)
        self.end = nn.ReLU()
        with torch.no_grad():
            self.mix.weight.zero_()
            assert self.mix.bias is not None
            self.mix.weight[0] = 1 / 243
            self.mix.weight[1, 0], self.mix.weight[1, 2] = 1 / 81, -1 / 81
            self.mix.bias.copy_(torch.tensor([2.0, -1.0]))

    def forward(self, images: Tensor) -> Tensor:
        """[image, 2, y, x]."""
        rectified: Tensor = self.end(self.mix(images))
        return rectified


def test_an_icon_for_an_inactive_unit_can_be_rendered(quick: Callable[..., RenderSettings]) -> None:
    """A unit that is active for no start gets its icon with redirected gradient, and without it never does."""
    module = Silent().eval().requires_grad_(False)
    preprocessing = PreprocessingSettings(crop=SIDE)
    network = Network("silent", module, ("a", "b"), preprocessing, discover_layers(module, SIDE))
    mean, means = torch.tensor([2.0, 0.0]), torch.tensor([[2.0, 1.0]] * 3)
    scene = Scene(network, "end", mean[None].numpy(), means.numpy(), mean.numpy())
    scores = {}
    for share in (0.0, 0.8):
        settings = quick(redirected_relu=share, steps=48, decay_power=1.0, init_std=0.01, contrast=None, batch_size=3)
        done = optimized(scene, settings, [0, 1, 2])
        measure = FidelityMeasure(network, "end", (SIDE, SIDE), mean)
        scores[share] = measure(to_uint8(done.images), means).activation[:, 1]
    assert (scores[0.0] == 0).all()
    assert (scores[0.8] > 0.3).all()
