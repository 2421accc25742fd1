from itertools import product

import pytest
import torch
from torch import Tensor, nn

from pipeline.featurevis.space_to_depth import SpaceToDepthConv2d, fold_first_convolutions, is_foldable
from pipeline.model.layers import run_to
from tests.featurevis.scene import SIDE, Scene

KERNELS = [(7, 2, 3), (7, 2, 0), (3, 2, 1), (3, 2, 0), (11, 4, 2), (11, 4, 3), (16, 16, 0), (5, 3, 1), (3, 4, 2)]


def convolution(kernel: int, stride: int, padding: int, bias: bool) -> nn.Conv2d:
    """A convolution of three planes with seeded weights, in float64."""
    made = nn.Conv2d(3, 5, kernel, stride, padding, bias=bias).double().requires_grad_(False)
    generator = torch.Generator().manual_seed(kernel)
    for parameter in made.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return made


def with_gradient(module: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """What a module makes of images, and the gradient of a weighted sum of it."""
    given = images.clone().requires_grad_(True)
    output = module(given)
    weights = torch.randn(output.shape, generator=torch.Generator().manual_seed(1), dtype=output.dtype)
    return output.detach(), torch.autograd.grad((output * weights).sum(), given)[0]


@pytest.mark.parametrize(("kernel", "stride", "padding"), KERNELS)
@pytest.mark.parametrize("bias", [True, False])
def test_a_folded_convolution_equals_the_plain_one(kernel: int, stride: int, padding: int, bias: bool) -> None:
    """Outputs and input gradients are the same for even, odd and oblong images."""
    plain = convolution(kernel, stride, padding, bias)
    folded = SpaceToDepthConv2d(plain)
    for height, width in product((32, 33, 34, 35), (32, 37)):
        images = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
        for found, expected in zip(with_gradient(folded, images), with_gradient(plain, images), strict=True):
            torch.testing.assert_close(found, expected)
            assert expected.abs().max() > 0.1


def test_an_oblong_kernel_is_folded_too() -> None:
    """Kernel and padding may differ down and across."""
    plain = nn.Conv2d(3, 4, (5, 2), 2, (2, 1)).double().requires_grad_(False)
    images = torch.rand(2, 3, 17, 20, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    for found, expected in zip(
        with_gradient(SpaceToDepthConv2d(plain), images), with_gradient(plain, images), strict=True
    ):
        torch.testing.assert_close(found, expected)


def test_another_weight_gives_another_output() -> None:
    """The comparison sees a single weight that is wrong."""
    plain = convolution(7, 2, 3, bias=True)
    folded = SpaceToDepthConv2d(plain)
    plain.weight[0, 0, 6, 6] += 0.1
    images = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    assert (folded(images) - plain(images)).abs().max() > 0.01


class Standardized(nn.Conv2d):
    """A convolution that standardizes its weights at every pass, as some networks have."""

    def forward(self, images: Tensor) -> Tensor:
        """Convolved with weights of mean 0."""
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        return torch.conv2d(images, weight, self.bias, self.stride, self.padding)


@pytest.mark.parametrize(
    "kept",
    [
        nn.Conv2d(3, 6, 3),
        nn.Conv2d(3, 6, 3, stride=2, groups=3),
        nn.Conv2d(3, 6, 3, stride=2, dilation=2),
        nn.Conv2d(3, 6, 3, stride=(2, 1)),
        nn.Conv2d(3, 6, 3, stride=2, padding=1, padding_mode="reflect"),
        nn.Conv2d(1, 6, 3, stride=2),
        nn.Conv2d(4, 6, 3, stride=2),
        nn.ConvTranspose2d(3, 6, 3, stride=2),
        nn.MaxPool2d(3, 2),
        Standardized(3, 6, 3, stride=2),
        nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 6, 3, stride=2)),
    ],
    ids=str,
)
def test_what_cannot_be_folded_stays(kept: nn.Module) -> None:
    """Only a plain convolution of three planes with a stride is folded, even among others."""
    network = nn.Sequential(kept, nn.Sequential(nn.Conv2d(3, 6, 3, stride=2)))
    fold_first_convolutions(network, ["none"])
    assert not is_foldable(kept)
    assert network[0] is kept
    assert isinstance(network.get_submodule("1.0"), SpaceToDepthConv2d)


def test_the_layer_itself_stays() -> None:
    """A layer that is asked for must be there to be recorded."""
    network = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2), nn.ReLU())
    fold_first_convolutions(network, ["0"])
    assert isinstance(network[0], nn.Conv2d)
    fold_first_convolutions(network, ["1"])
    assert isinstance(network[0], SpaceToDepthConv2d)


def test_a_network_with_a_folded_stem_says_the_same(cnn_scene: Scene) -> None:
    """The layer's activations are those of the plain network, and the folded one's weights stay frozen."""
    images = torch.randn(3, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    expected = run_to(cnn_scene.network.module, cnn_scene.layer, images)
    fold_first_convolutions(cnn_scene.network.module, [cnn_scene.layer])
    assert any(isinstance(part, SpaceToDepthConv2d) for part in cnn_scene.network.module.modules())
    torch.testing.assert_close(run_to(cnn_scene.network.module, cnn_scene.layer, images), expected)
    assert not any(parameter.requires_grad for parameter in cnn_scene.network.module.parameters())


def test_a_convolution_with_a_hook_stays() -> None:
    """A hook may change what a convolution makes of its input; the convolution is still called."""
    network = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2), nn.ReLU())
    network[0].register_forward_pre_hook(lambda _module, inputs: (2 * inputs[0],))
    fold_first_convolutions(network, ["1"])
    assert isinstance(network[0], nn.Conv2d)


def test_an_image_smaller_than_the_kernel_is_refused() -> None:
    """What the plain convolution cannot take the folded one does not take either."""
    plain = convolution(7, 2, 0, bias=True)
    for module in (plain, SpaceToDepthConv2d(plain)):
        with pytest.raises(RuntimeError, match="size"):
            module(torch.zeros(1, 3, 5, 5, dtype=torch.float64))
