"""Weights are found in the files that training scripts save."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pipeline.core.errors import ModelError
from pipeline.model.metadata import is_weights_file
from pipeline.model.weights import load_weights, read_weights

State = Mapping[str, Tensor]


@pytest.fixture
def network() -> nn.Module:
    """A network with batch normalization, with seeded weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2))
    module.get_buffer("1.running_mean").fill_(0.5)
    return module


def prefixed(state: State, prefix: str) -> dict[str, Tensor]:
    """The state dict with longer names."""
    return {prefix + name: value for name, value in state.items()}


def zeros(state: State) -> dict[str, Tensor]:
    """A state dict of zeros."""
    return {name: torch.zeros_like(value) for name, value in state.items()}


FILES: dict[str, tuple[Callable[[State], Any], str]] = {
    "compiled.pth": (lambda state: prefixed(state, "_orig_mod."), "_orig_mod."),
    "parallel and compiled.pth": (lambda state: prefixed(state, "module._orig_mod."), "module._orig_mod."),
    "lightning.ckpt": (
        lambda state: {"state_dict": {**prefixed(state, "model."), "loss.weight": torch.ones(2)}, "epoch": 3},
        "model.",
    ),
    "own name.pt": (lambda state: {"classifier": prefixed(state, "my_net.inner.")}, "my_net.inner."),
    "net.PTH": (lambda state: {"net": state, "acc": 0.9}, ""),
    "nested.pth.tar": (lambda state: {"a": {"b": {"weights": state}}, "optimizer": {"state": {}}}, ""),
    "average.bin": (lambda state: {"n_averaged": torch.tensor(7), **prefixed(state, "module.")}, "module."),
    "average only.Bin": (lambda state: {"ema": state, "step": torch.tensor(1)}, ""),
    "old.pt": (lambda state: {name: value for name, value in state.items() if "num_batches" not in name}, ""),
}


@pytest.mark.parametrize("name", FILES)
def test_weights_are_found(name: str, tmp_path: Path, network: nn.Module) -> None:
    """Whatever entry and prefix they are under, the network's weights come back bit for bit."""
    make, prefix = FILES[name]
    path = tmp_path / name
    torch.save(make(network.state_dict()), path)
    assert is_weights_file(str(path))
    expected = {key: value.clone() for key, value in network.state_dict().items()}
    network.load_state_dict(zeros(expected))
    found = read_weights({}, str(path), network.state_dict())
    load_weights(network, found.weights, str(path), found.source)
    torch.testing.assert_close(network.state_dict(), expected, rtol=0, atol=0)
    assert found.unusual == bool(prefix)
    assert f"without the prefix {prefix!r}" in found.source or not prefix


def test_of_weights_and_their_average_the_weights_are_taken(tmp_path: Path, network: nn.Module) -> None:
    """Where the average over the training fits too, the other is taken, and the lines tell how to save the average."""
    state, path = network.state_dict(), tmp_path / "both.pth"
    torch.save({"model_ema": prefixed(zeros(state), "module."), "model": state}, path)
    found = read_weights({}, str(path), state)
    torch.testing.assert_close(dict(found.weights), dict(state), rtol=0, atol=0)
    assert found.unusual
    lines = found.source.rpartition("to take them: ")[2]
    exec(lines.replace("'weights.pth'", repr(str(tmp_path / "average.pth"))), {"torch": torch})  # noqa: S102  # the lines that the message tells to run
    average = read_weights({}, str(tmp_path / "average.pth"), state)
    torch.testing.assert_close(dict(average.weights), zeros(state), rtol=0, atol=0)


def test_weights_that_do_not_fit_say_what_the_file_has(tmp_path: Path, network: nn.Module) -> None:
    """The line has the first misfit, how many entries match, from where, the file's keys, and how to save them."""
    path = tmp_path / "other.ckpt"
    state = prefixed(network.state_dict(), "net.")
    state["net.3.weight"] = state["net.3.weight"][:1]
    torch.save({"epoch": 1, "state_dict": state, "hyper_parameters": {}}, path)
    found = read_weights({}, str(path), network.state_dict())
    with pytest.raises(ModelError) as caught:
        load_weights(network, found.weights, str(path), found.source)
    text = str(caught.value)
    for part in (
        "1 of 9 entries differ: 3.weight is (1, 16) in the file and (2, 16) in the network",
        "8 of 9 entries of the network match those at 'state_dict' without the prefix 'net.'",
        "the keys epoch, state_dict, hyper_parameters",
        "removeprefix('net.'): v for k, v in c['state_dict'].items()}, 'weights.pth')",
    ):
        assert part in text
    assert "\n" not in text


@pytest.mark.parametrize("content", [{"epoch": 3, "loss": 0.5}, [1, 2], {}])
def test_a_file_without_tensors_is_refused(tmp_path: Path, content: object) -> None:
    """A file that holds no tensor by name says what it holds."""
    torch.save(content, tmp_path / "no.pth")
    with pytest.raises(ModelError, match=r"expected a state dict in .*found (the keys epoch, loss|list|no keys)"):
        read_weights({}, str(tmp_path / "no.pth"), {})


@pytest.mark.parametrize(
    "extra",
    [argparse.Namespace(lr=0.1), np.float64(0.5), np.int32(4), {"a": [np.float32(1)], "b": argparse.Namespace()}],
    ids=["namespace", "float64", "int32", "several"],
)
def test_harmless_objects_are_refused_with_lines_that_extract_the_weights(
    tmp_path: Path, network: nn.Module, extra: object
) -> None:
    """Arguments and NumPy scalars beside the weights stay unread; the lines in the answer extract the weights."""
    state, path = network.state_dict(), tmp_path / "train.pth"
    torch.save({"model": state, "extra": extra}, path)
    with pytest.raises(ModelError, match="expected a file of weights only") as caught:
        read_weights({}, str(path), state)
    text = str(caught.value)
    assert "weights_only=False" not in text
    assert "two options" not in text
    lines = text.partition("extract them: ")[2].rpartition(", where print")[0]
    try:
        exec(lines.replace("'weights.pth'", repr(str(tmp_path / "only.pth"))), {})  # noqa: S102  # the lines that the message tells to run
    finally:
        torch.serialization.clear_safe_globals()
    torch.testing.assert_close(
        dict(read_weights({}, str(tmp_path / "only.pth"), state).weights), dict(state), rtol=0, atol=0
    )


def test_a_whole_network_is_refused_without_advice_to_run_it(tmp_path: Path, network: nn.Module) -> None:
    """A pickled network names the class that it needs and asks for its state dict; nothing says how to run it."""
    torch.save(network, tmp_path / "whole.pt")
    with pytest.raises(ModelError, match=r"needs .*Sequential.*network\.state_dict\(\)") as caught:
        read_weights({}, str(tmp_path / "whole.pt"), {})
    assert "weights_only" not in str(caught.value)
