"""What the tests of rendering share: small networks with directions that real activations give."""

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn

from pipeline.config.render import RenderSettings
from tests.featurevis.scene import SIDE, Scene, scene


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


@pytest.fixture
def vit_scene(vit: nn.Module) -> Scene:
    """The small vision transformer at its first block, 4 × 4 tokens."""
    return scene(vit, "encoder.layers.encoder_layer_0")


@pytest.fixture
def quick() -> Callable[..., RenderSettings]:
    """Settings small enough for tests."""

    def settings(**changes: object) -> RenderSettings:
        few = {"size": SIDE, "steps": 24, "batch_size": 6, "learning_rate": 0.15}
        return RenderSettings.model_validate({**few, **changes})

    return settings
