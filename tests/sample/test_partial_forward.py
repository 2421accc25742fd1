from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pipeline.core.errors import ModelError
from pipeline.model.build import freeze
from pipeline.sample.forward import record_forward
from tests.networks.unusual_outputs import ODD, build


class Tangle(nn.Module):
    """Skip connections, a module that runs twice, sums in place, and a function between two modules."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.twice = nn.ReLU()
        self.inner = nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4))
        self.layer = nn.Conv2d(4, 4, 3, padding=1)
        self.head = nn.Linear(4, 5)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        start = self.twice(self.stem(images))
        grid = self.inner(start)
        grid += start
        grid = self.layer(torch.tanh(grid)) + start
        logits: Tensor = self.head(self.twice(grid).mean((2, 3)))
        return logits


@pytest.fixture
def images() -> Tensor:
    """Two small images of noise."""
    return torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def tangle() -> nn.Module:
    """The network, frozen."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return freeze(Tangle())


def calls(module: nn.Module) -> tuple[dict[str, int], Any]:
    """Counts how often the work of each convolution is done."""
    counted: dict[str, int] = {}
    plain = nn.functional.conv2d

    def count(values: Tensor, weight: Tensor, *more: Any) -> Tensor:
        name = next(name for name, part in module.named_modules() if getattr(part, "weight", None) is weight)
        counted[name] = counted.get(name, 0) + 1
        return plain(values, weight, *more)

    return counted, count


@pytest.mark.parametrize("name", ["stem", "twice:0", "inner.0", "inner", "layer", "twice:1"])
def test_the_rest_of_the_network_gives_the_same_logits(tangle: nn.Module, images: Tensor, name: str) -> None:
    """From any layer on, the network ends in the very logits of a whole pass, whatever images it is given again."""
    with torch.no_grad():
        expected = tangle(images)
        recorded = record_forward(tangle, [name], images)[name]
        with recorded.replay():
            assert torch.equal(tangle(torch.zeros_like(images)), expected)
        assert not torch.equal(tangle(torch.zeros_like(images)), expected)
        torch.testing.assert_close(tangle(images), expected, rtol=0, atol=0)


def test_every_pass_of_a_replay_starts_at_the_layer(tangle: nn.Module, images: Tensor) -> None:
    """While it lasts, a second and a third pass give the same logits as the first, whatever images they are given."""
    with torch.no_grad():
        expected = tangle(images)
        with record_forward(tangle, ["twice:1"], images)["twice:1"].replay() as call:
            assert call == 1
            for _ in range(3):
                assert torch.equal(tangle(torch.randn_like(images)), expected)


def test_a_call_is_counted_among_those_that_a_replay_makes(images: Tensor) -> None:
    """A module that returns what was recorded calls none inside it, so the second call of its ReLU is the first."""
    module = build(ODD["relu called three times, in a block"])
    with torch.no_grad():
        recorded = record_forward(module, ["relu:1", "relu:2"], images)
        for name, expected in {"relu:1": 1, "relu:2": 1}.items():
            with recorded[name].replay() as call:
                assert call == expected


def test_what_comes_before_a_layer_does_not_run_again(
    tangle: nn.Module, images: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a layer no convolution before it, nor its own, is worked out again; behind an early one the later are."""
    with torch.no_grad():
        recorded = record_forward(tangle, ["stem", "layer"], images)
        counted, count = calls(tangle)
        monkeypatch.setattr("torch.nn.functional.conv2d", count)
        with recorded["layer"].replay():
            tangle(images)
        assert "layer" not in counted
        assert "stem" not in counted
        with recorded["stem"].replay():
            tangle(images)
        assert counted["layer"] == 1
        assert "stem" not in counted


@pytest.mark.parametrize("network", ["cnn", "vit"])
def test_several_layers_come_from_one_pass(network: str, images: Tensor, request: pytest.FixtureRequest) -> None:
    """Each layer has its own output and its own rest of the network, also where modules work in place."""
    module: nn.Module = request.getfixturevalue(network)
    names = {"cnn": ["first", "pool"], "vit": ["conv_proj", "encoder.layers.encoder_layer_1.mlp"]}[network]
    inputs = torch.nn.functional.interpolate(images, 32)
    with torch.no_grad():
        expected = module(inputs)
        for recorded in record_forward(module, names, inputs).values():
            with recorded.replay():
                torch.testing.assert_close(module(inputs), expected)


def test_a_layer_that_never_runs_is_named(images: Tensor, tangle: nn.Module) -> None:
    """The error says which layer it is, and no hook is left behind."""
    tangle.idle = nn.ReLU()
    with pytest.raises(ModelError, match="'idle' is never run"):
        record_forward(tangle, ["stem", "idle"], images)
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in tangle.modules())
