"""What the tests of synthesized images share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.featurevis.scene import Scene, scene
from tests.synthesize.tiny_atlas import make_atlas


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks gain nothing from threads that wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def cnn_scene(cnn: nn.Module) -> Scene:
    """The small CNN at its last ReLU."""
    return scene(cnn, "second_relu")


@pytest.fixture(scope="session")
def tiny_atlas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny atlas, made once in each process."""
    found = tmp_path_factory.mktemp("atlas")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(found)
        return make_atlas(found)


@pytest.fixture
def folder(tiny_atlas: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny atlas as the current folder."""
    monkeypatch.chdir(tiny_atlas)
    return tiny_atlas
