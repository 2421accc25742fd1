"""Fidelity: how well finished icons point where their cells do, in views held out from the drawing.

The view is aimed: the icon's centre lies where the central position of the map looks, which is half a position off the
picture's middle for a map with an even number of positions.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cosine_similarity

from pipeline.render.probe import Probe
from pipeline.render.views import DRAWS, Views, aimed, look

# Fixed, whatever the settings: fidelities of different settings are to be compared.
HELD_OUT_SEED = 8128
HELD_OUT_COUNT = 8
HELD_OUT = Views(jitter=0.06, scale=(0.9, 1.1), rotation=10.0)

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Measured:
    """What held-out views say about a batch of icons.

    Attributes:
        fidelity: [icon], mean cosine to the cell's mean activation.
        fidelity_centred: [icon], the same after subtracting the layer's mean from both.
        activation: [icon, channel], mean raw activation over the views.
    """

    fidelity: Floats
    fidelity_centred: Floats
    activation: Floats

    def first(self, count: int) -> "Measured":
        """The first ``count`` icons."""
        return Measured(self.fidelity[:count], self.fidelity_centred[:count], self.activation[:count])


def measure(probe: Probe, icons: Tensor, cell_means: Tensor, layer_mean: Tensor) -> Measured:
    """Measure stored icons.

    Args:
        probe: the network up to the layer, in float32.
        icons: uint8 [icon, y, x, 3], as they are stored.
        cell_means: raw mean activation of each icon's cell, [icon, channel].
        layer_mean: [channel].
    """
    pictures = icons.movedim(-1, 1).float() / 255
    raw, centred, activations = [], [], []
    with torch.no_grad():
        for matrix in aimed(_held_out().to(pictures), probe.target):
            seen = probe(look(pictures, matrix.expand(len(pictures), 2, 3), probe.size))
            raw.append(cosine_similarity(seen, cell_means))
            centred.append(cosine_similarity(seen - layer_mean, cell_means - layer_mean))
            activations.append(seen)
    # added one by one: a sum over all of them at once rounds differently at different places of the batch
    fidelity, fidelity_centred, activation = (
        (sum(values[1:], values[0]) / len(values)).cpu().numpy() for values in (raw, centred, activations)
    )
    return Measured(fidelity, fidelity_centred, activation)


def floor(cell_means: Floats, layer_mean: Floats) -> Floats:
    """Raw fidelity, [cell], if every icon's activation were the layer's mean: what a raw cosine cannot tell apart."""
    lengths = np.linalg.norm(cell_means, axis=1) * np.linalg.norm(layer_mean)
    return np.asarray(cell_means @ layer_mean / np.maximum(lengths, 1e-12), np.float32)


def _held_out() -> Tensor:
    generator = torch.Generator().manual_seed(HELD_OUT_SEED)
    return HELD_OUT.matrices(torch.rand(HELD_OUT_COUNT, DRAWS, generator=generator))
