from pathlib import Path

import pytest
import torch

from pipeline.model.build import build, freeze, in_place
from pipeline.model.config import PreprocessingSettings
from pipeline.model.describe import describe_layers
from pipeline.model.layers import run_to_all
from pipeline.model.network import Network
from pipeline.model.saved import load, save
from tests.conftest import SmallCnn

LAYERS = ("first", "first_relu", "second", "second_relu")  # what follows the first and the third works in place on them
ARCHITECTURE = {"_target_": "tests.conftest.SmallCnn"}


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """A network whose author had it work in place, saved and loaded as stages do."""
    module = freeze(SmallCnn())
    preprocessing = PreprocessingSettings(resize=32, crop=32)
    save(
        tmp_path / "model",
        Network("n", module, tuple("abcde"), preprocessing, describe_layers(module, 32)),
        ARCHITECTURE,
        {},
    )
    return load(tmp_path / "model")


def test_what_worked_in_place_is_remembered(network: Network) -> None:
    """A loaded network works in place nowhere, and knows where it did; its twin does so there again."""
    assert network.in_place == ("first_relu", "second_relu") == in_place(build(ARCHITECTURE))
    assert in_place(network.module) == ()
    assert in_place(network.twin().module) == network.in_place
    assert in_place(network.module) == ()


def test_a_twin_shares_weights_and_no_module(network: Network) -> None:
    """The very same weights, but no module in common: a hook on one is not seen by the other."""
    other = network.twin()
    own, its = network.module.state_dict(keep_vars=True), other.module.state_dict(keep_vars=True)
    assert own.keys() == its.keys()
    assert all(own[name] is its[name] for name in own)
    assert not {id(part) for part in network.module.modules()} & {id(part) for part in other.module.modules()}


def test_a_twin_gives_the_same_numbers(network: Network) -> None:
    """Every layer's output is the same to the last bit, also where a later module overwrites it; the input stays."""
    images = torch.randn(3, 3, 32, 32, generator=torch.manual_seed(0))
    before = images.clone()
    with torch.no_grad():
        plain, twin = (run_to_all(one.module, LAYERS, images) for one in (network, network.twin()))
    for layer in LAYERS:
        torch.testing.assert_close(twin[layer], plain[layer], rtol=0, atol=0)
    assert plain["second"].min() < 0  # so that an overwritten output would show
    torch.testing.assert_close(images, before, rtol=0, atol=0)
