from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pipeline.config.model import PreprocessingSettings
from pipeline.core.errors import ModelError
from pipeline.core.layer_names import LOGITS
from pipeline.explain.class_activation import layer_gradient
from pipeline.explain.randomization import cascade, parameters_by_module, randomized, rank_correlation
from pipeline.explain.scores import Scores
from pipeline.model.build import freeze
from pipeline.model.discovery import discover_layers
from pipeline.model.network import Network

SIDE = 16
CALLED = ("first", "norm", "second", "third", "head")


class Small(nn.Module):
    """Its modules are called in another order than they are defined in, and one is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(8, 6)
        self.auxiliary = nn.Linear(8, 6)
        self.third = nn.Conv2d(8, 8, 3, padding=1)
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.second = nn.Conv2d(8, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.relu = nn.ReLU()

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        seen = self.relu(self.norm(self.first(images)))
        seen = self.relu(self.third(self.relu(self.second(seen))))
        logits: Tensor = self.head(seen.mean((2, 3)))
        return logits


def network_of(module: nn.Module) -> Network:
    """Frozen, for 16 × 16 pixels."""
    layers = discover_layers(freeze(module), SIDE)
    return Network("small", module, tuple("abcdef"), PreprocessingSettings(crop=SIDE), layers)


@pytest.fixture
def small() -> Network:
    """With seeded weights and running statistics."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = Small()
        for parameter in module.norm.parameters():
            nn.init.uniform_(parameter, 0.5, 1.5)
        for _ in range(10):
            module(torch.randn(8, 3, SIDE, SIDE))
    return network_of(module)


def state(network: Network) -> dict[str, Tensor]:
    """A copy of all parameters and buffers."""
    return {name: value.clone() for name, value in network.module.state_dict().items()}


def changed(one: dict[str, Tensor], other: dict[str, Tensor]) -> set[str]:
    """Names of the values that differ."""
    return {name for name, value in one.items() if not torch.equal(value, other[name])}


def images(count: int = 3) -> Tensor:
    """Seeded noise."""
    return torch.randn(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def test_modules_are_in_the_reverse_order_of_their_first_call(small: Network) -> None:
    """The order is that of the forward pass, not of the definition; what is never called is left out."""
    found = parameters_by_module(small)
    assert list(found) == list(reversed(CALLED))
    assert found["head"] == ["head.weight", "head.bias"]
    assert not any(part._forward_pre_hooks for part in small.module.modules())


def test_modules_after_the_explained_layer_are_left_out(small: Network) -> None:
    """For a layer's units the cascade starts with the layer itself; a layer that does not exist is an error."""
    assert list(parameters_by_module(small, "second")) == ["second", "norm", "first"]
    assert [one.modules[-1] for one in cascade(small, 2, 0, "second")] == ["second", "first"]
    blocks = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3))
    nested = network_of(nn.Sequential(blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    assert list(parameters_by_module(nested, "0.1")) == ["0.0"]
    with pytest.raises(ModelError, match="no layer 'fourth'"):
        parameters_by_module(small, "fourth")


@pytest.mark.parametrize(
    ("steps", "sizes"),
    [(1, [1]), (2, [1, 5]), (3, [1, 3, 5]), (4, [1, 2, 3, 5]), (5, [1, 2, 3, 4, 5]), (99, [1, 2, 3, 4, 5])],
)
def test_steps_are_cumulative_and_the_first_is_the_classifier(small: Network, steps: int, sizes: list[int]) -> None:
    """Each step adds modules to those of the one before, evenly, and the last one has all, if there are several."""
    found = [one.modules for one in cascade(small, steps, 0)]
    order = tuple(reversed(CALLED))
    assert found == [order[:size] for size in sizes]


def test_the_cascade_changes_the_parameters_of_its_modules_and_nothing_else(small: Network) -> None:
    """Each step permutes exactly the parameters of its modules; running statistics and the network itself stay."""
    before = state(small)
    for one in cascade(small, 3, 7):
        after = state(one.network)
        touched = {name for name in before if name.rpartition(".")[0] in one.modules and "running" not in name}
        touched.discard("norm.num_batches_tracked")
        assert changed(before, after) == touched
        for name in touched:
            assert torch.equal(before[name].flatten().sort().values, after[name].flatten().sort().values)
        assert not any(parameter.requires_grad for parameter in one.network.module.parameters())
        assert not one.network.module.training
    assert changed(before, state(small)) == set()


def test_a_permutation_depends_on_the_seed_and_the_name_alone(small: Network) -> None:
    """A parameter gets the same one alone, among others and in any number of steps; another seed gives another.

    Two parameters of the same size get different ones.
    """
    deepest = list(cascade(small, 2, 7))[-1].network
    alone = randomized(small, ["second.weight"], 7)
    assert torch.equal(state(alone)["second.weight"], state(deepest)["second.weight"])
    assert changed(state(list(cascade(small, 99, 7))[-1].network), state(deepest)) == set()
    other = randomized(small, ["second.weight"], 8)
    assert changed(state(alone), state(other)) == {"second.weight"}
    equal = network_of(small.copy())
    equal.module.get_parameter("third.weight").copy_(equal.module.get_parameter("second.weight"))
    both = state(randomized(equal, ["second.weight", "third.weight"], 7))
    assert not torch.equal(both["second.weight"], both["third.weight"])


def test_a_bias_of_equal_values_stays(small: Network) -> None:
    """No permutation changes it, and the network runs as before."""
    plain = replace(small, module=small.copy())
    nn.init.zeros_(plain.module.get_parameter("head.bias"))
    found = randomized(plain, ["head.bias"], 3)
    assert changed(state(plain), state(found)) == set()
    with torch.no_grad():
        assert torch.equal(found.module(images()), plain.module(images()))


class Attention(nn.Module):
    """Its own parameter, and attention, which uses the weights of its projection without a call."""

    def __init__(self) -> None:
        super().__init__()
        self.cut = nn.Conv2d(3, 8, 4, stride=4)
        self.position = nn.Parameter(torch.randn(16, 8))
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 6)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        tokens = self.cut(images).flatten(2).movedim(1, 2) + self.position
        logits: Tensor = self.head(self.attention(tokens, tokens, tokens, need_weights=False)[0].mean(1))
        return logits


def test_parameters_that_a_module_uses_without_a_call_belong_to_it() -> None:
    """Attention has those of its projection, the network its own alone."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = network_of(Attention())
    found = parameters_by_module(network)
    assert list(found) == ["head", "attention", "cut", ""]
    assert set(found["attention"]) == {
        *("attention.in_proj_weight", "attention.in_proj_bias"),
        *("attention.out_proj.weight", "attention.out_proj.bias"),
    }
    assert found[""] == ["position"]
    attention = list(cascade(network, 99, 0))[1]
    assert attention.modules == ("head", "attention")
    assert {"attention.out_proj.weight", "attention.in_proj_weight"} <= changed(
        state(network), state(attention.network)
    )


class Tied(nn.Module):
    """Two convolutions with the same weights, and one that is called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        self.second.weight = self.first.weight
        self.head = nn.Linear(3, 6)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        logits: Tensor = self.head(self.first(self.second(self.first(images))).mean((2, 3)))
        return logits


def test_shared_parameters_are_permuted_once() -> None:
    """They belong to the module whose first call is the last, and stay shared."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = network_of(Tied())
    assert parameters_by_module(network) == {
        "head": ["head.weight", "head.bias"],
        "second": ["first.weight", "second.bias"],
        "first": ["first.bias"],
    }
    found = list(cascade(network, 99, 0))
    module = found[-1].network.module
    assert module.get_parameter("first.weight") is module.get_parameter("second.weight")
    assert changed(state(found[1].network), state(found[2].network)) == {"first.bias"}


def test_a_network_without_parameters_has_no_steps() -> None:
    """There is nothing to randomize."""
    module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network = Network("mean", freeze(module), tuple("abc"), PreprocessingSettings(crop=SIDE), {})
    assert list(cascade(network, 6, 0)) == []


COLORS = torch.tensor([[1, -1, -1], [-1, 1, -1], [-1, -1, 1], [1, 1, -1], [-1, 1, 1], [1, -1, 1]]).float()


def color_network() -> Network:
    """A unit for each of six colors, and for each class mostly one of them."""
    colors, head = nn.Conv2d(3, len(COLORS), 1), nn.Linear(len(COLORS), len(COLORS))
    colors.weight.data = COLORS[:, :, None, None]
    colors.bias = nn.Parameter(torch.full((len(COLORS),), -2.0))
    head.weight.data = torch.eye(6) + 0.1 * torch.randn(6, 6, generator=torch.Generator().manual_seed(2))
    return network_of(nn.Sequential(colors, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head))


def patchwork() -> Tensor:
    """Every color in places of its own, arranged in another way in each image, [image, 3, y, x]."""
    random = torch.Generator().manual_seed(3)
    places = torch.stack([torch.randperm(SIDE * SIDE, generator=random) % len(COLORS) for _ in range(6)])
    return COLORS[places].movedim(-1, 1).reshape(-1, 3, SIDE, SIDE)


def grad_cam(network: Network) -> Tensor:
    """Of class i for image i, before the ReLU."""
    return layer_gradient(Scores(network, LOGITS), "0", patchwork(), torch.arange(6)).grad_cam()


def test_a_map_that_the_classifier_makes_changes_with_it_and_one_of_the_image_does_not() -> None:
    """Grad-CAM is another one after the first step; the image's brightness and a copy without changes are the same."""
    network = color_network()
    first = next(cascade(network, 6, 0))
    assert first.modules == ("4",)
    assert rank_correlation(grad_cam(network), grad_cam(first.network)).mean() < 0.5
    brightness = [patchwork()[:, 0] + 0.5 * patchwork()[:, 1] for _ in (network, first.network)]
    assert np.allclose(rank_correlation(*brightness), 1)
    assert np.allclose(rank_correlation(grad_cam(network), grad_cam(randomized(network, [], 0))), 1)


def test_rank_correlation_is_that_of_the_ranks_of_absolute_values() -> None:
    """It is 1 for any rising change and any signs, -1 for the inverse, near 0 for other maps, NaN for constant ones."""
    one = torch.rand(4, 30, 30, generator=torch.Generator().manual_seed(0)) + 0.1
    signs = torch.arange(30) % 2 * 2.0 - 1
    assert np.allclose(rank_correlation(one, one**3 * signs), 1)
    assert np.allclose(rank_correlation(one, 1 / one), -1)
    other = torch.rand(4, 30, 30, generator=torch.Generator().manual_seed(1))
    assert np.abs(rank_correlation(one, other)).max() < 0.15  # 4.5 standard deviations of 900 pixels
    mixed = one.clone()
    mixed[1], mixed[3] = 0.3, 0.0
    assert np.array_equal(np.isnan(rank_correlation(one, mixed)), [False, True, False, True])
    assert np.array_equal(np.isnan(rank_correlation(mixed, one)), [False, True, False, True])
    assert np.isnan(rank_correlation(signs.expand(1, 30, 30), one[:1])).all()  # constant without the signs


def test_rank_correlation_gives_equal_values_their_mean_rank() -> None:
    """By hand: ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4."""
    one, other = torch.tensor([[[1.0, 2.0], [2.0, 3.0]]]), torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    assert np.allclose(rank_correlation(one, other), np.corrcoef([1, 2.5, 2.5, 4], [1, 2, 3, 4])[0, 1])
