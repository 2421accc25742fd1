"""torch-lucent's images of channels, by the mean over the map, with its own method."""

import warnings
from collections.abc import Sequence
from copy import deepcopy

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.render.lucent import SEED, Frame
from pipeline.model.network import Network

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its kornia calls what torch has since deprecated
    from lucent.optvis import objectives, param, render, transform


def channel_images(
    network: Network, layer: str, channels: Sequence[int], frame: Frame, rate: float, steps: int
) -> NDArray[np.uint8]:
    """Its images, one a channel, in one batch, uint8 [image, y, x, 3].

    Args:
        network: a copy of which it gets, since it leaves hooks behind.
        layer: dotted module path.
        channels: of the layer.
        frame: pixels.
        rate: learning rate of Adam.
        steps: that it takes.
    """
    name = layer.replace(".", "_")
    terms = [objectives.channel(name, channel, batch=row) for row, channel in enumerate(channels)]
    torch.manual_seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002  # its transforms draw from the global generator
    (found,) = render.render_vis(
        deepcopy(network.module),
        objectives.Objective.sum(terms),
        lambda: param.image(frame.pixels, batch=len(channels)),
        optimizer=lambda parameters: torch.optim.Adam(parameters, lr=rate),
        transforms=transform.standard_transforms,
        thresholds=(steps,),
        progress=False,
        show_image=False,
        fixed_image_size=frame.network_input,
    )
    return np.asarray((found * 255).round(), np.uint8)
