"""A small run for the tests of the stage: seven pictures of noise and a SqueezeNet of random weights."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from omegaconf import OmegaConf
from PIL import Image

from pipeline.compose import compose_config
from pipeline.config.model import PreprocessingSettings
from pipeline.config.params import Params, parse_params
from pipeline.core.artifacts import IMAGES, MODEL
from pipeline.images.image_folder import ImageFolder
from pipeline.images.manifest import Manifest, write_manifest
from pipeline.model.build import build, freeze
from pipeline.model.discovery import discover_layers
from pipeline.model.network import Network, save_network

ROOT = Path(__file__).parents[2]
ARCHITECTURE = {"_target_": "torchvision.models.squeezenet1_1", "num_classes": 4}
PREPROCESSING = PreprocessingSettings(resize=72, crop=64)
LAYERS = ("features.4", "features.12")


def photographs(folder: Path) -> NDArray[np.uint8]:
    """Seven small pictures of noise, saved below ``folder``."""
    pixels = np.random.default_rng(0).integers(0, 256, (7, 80, 90, 3), np.uint8)
    folder.mkdir()
    for number, picture in enumerate(pixels):
        Image.fromarray(picture).save(folder / f"{number}.png")
    return pixels


def params(folder: Path, **sample: Any) -> Params:
    """The default configuration on these pictures, with settings of the stage changed."""
    overrides = ["images=image_folder", f"images.root={folder}", f"layers=[{','.join(LAYERS)}]"]
    config = compose_config(ROOT, [*overrides, *(f"sample.{key}={value}" for key, value in sample.items())])
    return parse_params(OmegaConf.to_container(config))


def prepared(tmp_path: Path, module: torch.nn.Module | None = None) -> Path:
    """A folder of images, and the output of the stage ``prepare`` for them."""
    photographs(tmp_path / "images")
    entries = ImageFolder(str(tmp_path / "images"))
    keys = tuple(entry.key for entry in entries.entries())
    unlabeled, numbers = np.full(7, -1), np.arange(7)
    digests = tuple(entries.digest(key) for key in keys)
    manifest = Manifest(numbers, keys, unlabeled, unlabeled, np.full(7, 90), np.full(7, 80), digests)
    write_manifest(IMAGES.path(tmp_path / "outputs"), manifest, {}, {})
    module = module or freeze(build(ARCHITECTURE))
    network = Network("n", module, ("a", "b", "c", "d"), PREPROCESSING, discover_layers(module, 64))
    save_network(MODEL.path(tmp_path / "outputs"), network, ARCHITECTURE, {})
    return tmp_path
