"""A small network with directions that its own activations give."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.config.model import PreprocessingSettings
from pipeline.model.discovery import discover_layers
from pipeline.model.inputs import normalize
from pipeline.model.layers import run_to
from pipeline.model.network import Network

SIDE = 32


@dataclass(frozen=True)
class Scene:
    """A network, one of its layers, and what a grid would hold of it.

    Attributes:
        network: in evaluation mode, for 32 × 32 pixels.
        layer: of it.
        activations: [sample, channel], of smooth random images.
        means: [cell, channel], means of alike activations.
        mean: [channel], of all activations.
    """

    network: Network
    layer: str
    activations: NDArray[np.float32]
    means: NDArray[np.float32]
    mean: NDArray[np.float32]


def scene(module: nn.Module, layer: str) -> Scene:
    """Look at smooth random images through ``layer`` and group its activations into six cells."""
    preprocessing = PreprocessingSettings(crop=SIDE)
    network = Network("small", module, tuple("abcde"), preprocessing, discover_layers(module, SIDE))
    generator = torch.Generator().manual_seed(3)
    coarse = torch.rand(48, 3, 6, 6, generator=generator)
    images = nn.functional.interpolate(coarse, SIDE, mode="bicubic", align_corners=False).clamp(0, 1)
    with torch.no_grad():
        grid = network.layers[layer].to_map(run_to(module, layer, normalize(images, preprocessing)))
    rows = grid[:, :, 1:-1, 1:-1].movedim(1, -1).flatten(0, 2).numpy()
    mean = rows.mean(0)
    seeds = rows[np.linspace(0, len(rows) - 1, 6).astype(int)] - mean
    nearest = np.argmax((rows - mean) @ (seeds / np.linalg.norm(seeds, axis=1, keepdims=True)).T, axis=1)
    return Scene(network, layer, rows, np.stack([rows[nearest == k].mean(0) for k in range(6)]), mean)
