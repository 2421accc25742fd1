"""What ``_target_`` names is looked at before it is called: a class of image sets, or something that makes networks."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from pipeline.config.images import ImagesSettings
from pipeline.config.model import ModelSettings
from pipeline.core.errors import AtlasError, ConfigError
from pipeline.images.image_set import open_image_set
from pipeline.model.build import build
from pipeline.model.configured_network import load_configured_network

called: list[str] = []


def plain_function(**_: Any) -> Any:
    """A function of unknown use."""
    called.append("function")


def typed_function(**_: Any) -> int:
    """A function that says that it makes no network."""
    called.append("typed function")
    return 3


class Other:
    """A class of unknown use, whose making leaves a trace."""

    def __init__(self, **_: Any) -> None:
        called.append("class")

    def __call__(self, **_: Any) -> None:
        """Leave a trace."""
        called.append("object")

    @classmethod
    def make(cls, **_: Any) -> "Other":
        """Leave a trace."""
        called.append("class method")
        return cls()


class HalfASet(Other):
    """Has two of the three methods of an image set."""

    def entries(self) -> list[Any]:
        """Nothing."""
        return []

    def open(self, key: str) -> None:
        """Nothing."""


known_object = Other()
partial = functools.partial(plain_function, key=1)
called.clear()

HERE = __name__
TARGETS: dict[str, dict[str, Any]] = {
    "os.system": {"command": "touch trace"},
    "subprocess.run": {"args": ["touch", "trace"]},
    "subprocess.Popen": {"args": ["touch", "trace"]},
    "builtins.eval": {},
    "builtins.exec": {},
    "builtins.print": {},
    "builtins.open": {"file": "trace", "mode": "w"},
    "os.mkdir": {"path": "trace"},
    "pathlib.Path.touch": {"self": "trace"},
    "pathlib.Path.unlink": {"self": "kept"},
    "pathlib.Path": {},
    "shutil.rmtree": {"path": "kept"},
    "functools.partial": {},
    "importlib.import_module": {"name": "this"},
    "torch.load": {"f": "kept"},
    "torch.hub.load": {"repo_or_dir": "x", "model": "y"},
    "hydra.utils.call": {"config": {"_target_": "os.mkdir", "path": "trace"}},
    f"{HERE}.plain_function": {},
    f"{HERE}.typed_function": {},
    f"{HERE}.Other": {},
    f"{HERE}.Other.make": {},
    f"{HERE}.HalfASet": {},
    f"{HERE}.known_object": {},
    f"{HERE}.partial": {},
}


def open_images(target: dict[str, Any]) -> object:
    """As the section ``images``."""
    return open_image_set(ImagesSettings.model_validate_json(json.dumps(target)))


def open_second_images(target: dict[str, Any]) -> object:
    """As the section ``place.images``."""
    return open_image_set(ImagesSettings.model_validate_json(json.dumps(target)), "place.images")


def load_judge(target: dict[str, Any]) -> object:
    """As the section ``judge``."""
    settings = {"name": "judge", "architecture": target, "weights": "random", "preprocessing": {"crop": 32}}
    return load_configured_network(ModelSettings.model_validate_json(json.dumps(settings)), "judge")


def build_argument(target: dict[str, Any]) -> object:
    """As an argument of a network, within others."""
    return build({"_target_": f"{HERE}.Nested", "arguments": [{"deep": target}]})


class Nested(nn.Module):
    """A network with an argument of any kind."""

    def __init__(self, arguments: Any) -> None:
        super().__init__()
        self.arguments = arguments


class Options:
    """A class of the package that the network comes from."""


PLACES: dict[str, Callable[[dict[str, Any]], object]] = {
    "images._target_": open_images,
    "place.images._target_": open_second_images,
    "model.architecture._target_": build,
    "judge.architecture._target_": load_judge,
    "model.architecture": build_argument,
}


OWN = {f"{HERE}.Other", f"{HERE}.HalfASet"}  # classes of the network's own package may be arguments of it
CASES = [
    (where, target) for where in PLACES for target in TARGETS if where != "model.architecture" or target not in OWN
]


@pytest.mark.parametrize(("where", "target"), CASES)
def test_nothing_else_is_called(where: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions, methods, objects and classes of other uses are refused in a line that names them, and never called."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kept").mkdir()
    called.clear()
    with pytest.raises(AtlasError, match=f"^{where}: expected .*{target.replace('.', '[.]')}") as caught:
        PLACES[where]({"_target_": target, **TARGETS[target]})
    assert "\n" not in str(caught.value)
    assert called == []
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


class InitSet:
    """An image set that sets its classes when it is made, as most do."""

    def __init__(self) -> None:
        self.classes = ("a",)

    def entries(self) -> list[Any]:
        """Nothing."""
        return []

    def open(self, key: str) -> None:
        """Nothing."""

    def digest(self, key: str) -> str:
        """Of nothing."""
        return key


class WithoutClasses(InitSet):
    """One that forgets them."""

    def __init__(self) -> None:
        pass


def small(width: int = 2) -> nn.Module:
    """A function that makes networks."""
    return nn.Conv2d(3, width, 1)


def maybe_small(width: int = 2) -> "nn.Conv2d | None":
    """Another."""
    return nn.Conv2d(3, width, 1)


def test_image_sets_are_made() -> None:
    """A class with the methods of an image set is made; one whose objects lack the classes is named."""
    assert open_images({"_target_": f"{HERE}.InitSet"})
    with pytest.raises(ConfigError, match=r"place\.images\._target_: expected an image set with classes"):
        open_second_images({"_target_": f"{HERE}.WithoutClasses"})


@pytest.mark.parametrize(
    "architecture",
    [
        {"_target_": "torch.nn.Conv2d", "in_channels": 3, "out_channels": 2, "kernel_size": 1},
        {"_target_": f"{HERE}.small", "width": 3},
        {"_target_": f"{HERE}.maybe_small"},
        {"_target_": "torchvision.models.get_model", "name": "squeezenet1_1"},
        {
            "_target_": "torchvision.models.resnet.ResNet",
            "block": {"_target_": "hydra.utils.get_class", "path": "torchvision.models.resnet.BasicBlock"},
            "layers": [1, 1, 1, 1],
            "norm_layer": {"_target_": f"{HERE}.group_norm", "_partial_": True},
        },
        {"_target_": f"{HERE}.Nested", "arguments": [{"_target_": f"{HERE}.Options"}]},
    ],
    ids=lambda architecture: str(architecture["_target_"]),
)
def test_networks_are_built(architecture: dict[str, Any]) -> None:
    """Classes of networks, functions that say that they return one, and parts of networks as arguments are called."""
    assert isinstance(build(architecture), nn.Module)


def group_norm(channels: int) -> nn.GroupNorm:
    """A layer that torchvision's networks make for a number of channels."""
    return nn.GroupNorm(4, channels)


@pytest.mark.parametrize("target", ["os.path", f"{HERE}", "json"])
def test_a_module_is_no_class(target: str) -> None:
    """A module of Python is refused too, at both kinds of places."""
    for where in ("images._target_", "model.architecture._target_"):
        with pytest.raises(AtlasError, match=f"^{where}: expected"):
            PLACES[where]({"_target_": target})
