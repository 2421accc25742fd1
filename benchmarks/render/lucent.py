"""torch-lucent, rendering the same icons with its own method.

One objective per icon, summed, as its documentation says: the cosine between the direction and the activation at the
center of the map, for the icon's own row of the batch. All else is its default: a Fourier spectrum, decorrelated
color, Adam, and its standard transforms. Steps and learning rate are the caller's.
"""

import warnings
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from benchmarks.render.cells import Cells
from pipeline.core.errors import ConfigError

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its kornia calls what torch has since deprecated
        from lucent.optvis import objectives, param, render, transform
except ModuleNotFoundError:
    raise ConfigError(
        "torch-lucent: expected the renderer that ours is measured against, found none; run 'make bench'"
    ) from None

SEED = 0
DEFAULT_PIXELS = 128
DEFAULT_INPUT = 224  # a smaller image is enlarged to this side before the network sees it
DEFAULT_RATE = 0.05
PADDING = 24  # pixels that its standard transforms put around an image's two sides


@dataclass(frozen=True)
class Frame:
    """Which pixels it works on.

    Attributes:
        name: for people.
        pixels: side of its image.
        network_input: side of what the network sees; None leaves that to its defaults.
    """

    name: str
    pixels: int
    network_input: int | None

    def scales(self, ours: int) -> tuple[int, ...]:
        """Sides at which its icons are measured, the best of which counts for it.

        Our size, its own, and the one at which the network saw the image while it was optimized: its transforms pad an
        image and then resize it together with the padding.

        Args:
            ours: side of our icons, pixels.
        """
        seen = round(self.pixels * (self.network_input or DEFAULT_INPUT) / (self.pixels + PADDING))
        return tuple(sorted({ours, self.pixels, seen}))


def defaults() -> Frame:
    """Its defaults: 128 px, padded and enlarged to 224 px for the network."""
    return Frame("torch-lucent at its defaults", DEFAULT_PIXELS, None)


def at_size(size: int) -> Frame:
    """Its image and the network's input as large as our icons."""
    return Frame(f"torch-lucent at {size} px", size, size)


def icons(cells: Cells, frame: Frame, rate: float, thresholds: Sequence[int]) -> list[Tensor]:
    """Its icons after each number of steps.

    Each call gets a network of its own: torch-lucent registers hooks on every module and never removes them, so a used
    network is slower.

    Args:
        cells: whose means are the directions.
        frame: pixels.
        rate: learning rate of Adam.
        thresholds: numbers of steps, ascending.

    Returns:
        For each number of steps the icons, uint8 [cell, y, x, 3].
    """
    layer = cells.layer.replace(".", "_")
    directions = torch.from_numpy(cells.mean).to(cells.device)
    terms = [objectives.direction_neuron(layer, direction, batch=row) for row, direction in enumerate(directions)]
    torch.manual_seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002  # its transforms draw from the global generator
    found = render.render_vis(
        deepcopy(cells.network.module),
        objectives.Objective.sum(terms),
        lambda: param.image(frame.pixels, batch=len(directions)),
        optimizer=lambda parameters: torch.optim.Adam(parameters, lr=rate),
        transforms=transform.standard_transforms,
        thresholds=tuple(thresholds),
        progress=False,
        show_image=False,
        fixed_image_size=frame.network_input,
    )
    return [torch.from_numpy((image * 255).round().astype(np.uint8)) for image in found]
