"""Many samples at small cost: noise images of 8 pixels, and a network of one convolution and one linear layer."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from omegaconf import OmegaConf
from PIL import Image
from torch import Tensor, nn

from pipeline.compose import compose_config
from pipeline.config.params import Params, parse_params
from pipeline.images.image_set import Entry
from pipeline.stages import STAGES, Task

CHANNELS, CLASSES, SIDE, POSITIONS = 512, 100, 8, 256
LAYER = "features"


class Wide(nn.Module):
    """``features``: 512 channels of 2 × 2 positions; then their mean, and logits of 100 classes."""

    def __init__(self, num_classes: int = CLASSES) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, CHANNELS, 4, stride=4), nn.ReLU())
        self.head = nn.Linear(CHANNELS, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        logits: Tensor = self.head(torch.flatten(self.features(images).mean((2, 3)), 1))
        return logits


class Noise:
    """``count`` images of noise, each generated from its number when it is opened."""

    classes: Sequence[str] = ()

    def __init__(self, count: int) -> None:
        self._count = count

    def entries(self) -> Sequence[Entry]:
        """Every image."""
        return [Entry(str(number), None) for number in range(self._count)]

    def open(self, key: str) -> Image.Image:
        """The image."""
        return Image.fromarray(np.random.default_rng(int(key)).integers(0, 256, (SIDE, SIDE, 3), np.uint8))

    def digest(self, key: str) -> str:
        """SHA-256 (hex) of its pixels."""
        return hashlib.sha256(self.open(key).tobytes()).hexdigest()


def params(samples: int) -> Params:
    """The configuration of a run with so many samples, or a few more; run in a checkout."""
    values = OmegaConf.to_container(compose_config(Path.cwd(), ["render.size_by_layer={}"]))
    assert isinstance(values, dict)  # noqa: S101  # the configuration is a mapping
    values |= {"layers": [LAYER], "images": {"_target_": f"{__name__}.Noise", "count": -(-samples // POSITIONS)}}
    values["model"] |= {
        "name": "Wide",
        "architecture": {"_target_": f"{__name__}.Wide"},
        "weights": "random",
        "classes": [f"class {number}" for number in range(CLASSES)],
    }
    values["model"]["preprocessing"] |= {"resize": SIDE, "crop": SIDE}
    values["sample"] |= {"positions_per_image": POSITIONS, "batch_size": 4, "border": 0, "attribution": True}
    return parse_params(values)


def prepare(outputs: Path, samples: int) -> None:
    """Run the stage ``prepare``."""
    from pipeline.prepare.stage import run  # noqa: PLC0415  # the measured process does not load it

    run(Task(STAGES["prepare"], params(samples), outputs))
