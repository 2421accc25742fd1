"""Activations and attributions of every layer's samples, for one batch of images."""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.config.sample import SampleSettings
from pipeline.model.layers import LayerShape, run_to_all
from pipeline.model.network import Network
from pipeline.model.positions import activations_at_places
from pipeline.sample.attribution import attributions, relaxed_max_pool
from pipeline.sample.partial_forward import PartialForward, record_forward

Block = dict[str, NDArray[Any]]


def sample_batch(
    network: Network,
    shapes: Mapping[str, LayerShape],
    images: Tensor,
    places: NDArray[np.float64],
    settings: SampleSettings,
) -> dict[str, Block]:
    """Activations, positions and (where configured) attributions of one batch, at every layer.

    Args:
        network: on ``settings.device``.
        shapes: of the layers that are sampled.
        images: network input [image, 3, y, x].
        places: relative places [image, place, 2] in 0..1, the same for every layer.
        settings: of the stage.

    Returns:
        for each layer ``activation`` [row, channel], ``position`` [row, 2], ``attribution`` [row, class]; rows in the
        order image, place.

    Raises:
        DataError: an activation is not finite.
    """
    images = images.to(settings.device, memory_format=torch.channels_last)
    number_type = torch.autocast(images.device.type, torch.bfloat16) if settings.dtype == "bfloat16" else nullcontext()
    with torch.no_grad(), number_type:
        if not settings.attribution:
            outputs = run_to_all(network.module, list(shapes), images)
            return {layer: _activations(layer, shapes[layer], outputs[layer], places, settings) for layer in shapes}
        recorded = record_forward(network.module, list(shapes), images)
        return {
            layer: _with_attributions(network, layer, shapes[layer], images, recorded[layer], places, settings)
            for layer in shapes
        }


def _activations(
    layer: str, shape: LayerShape, output: Tensor, places: NDArray[np.float64], settings: SampleSettings
) -> Block:
    activation, positions = activations_at_places(layer, shape, output, places, settings.border)
    return {"activation": activation, "position": positions.reshape(-1, 2)}


def _with_attributions(
    network: Network,
    layer: str,
    shape: LayerShape,
    images: Tensor,
    recorded: PartialForward,
    places: NDArray[np.float64],
    settings: SampleSettings,
) -> Block:
    block = _activations(layer, shape, recorded.output, places, settings)
    positions = torch.from_numpy(block["position"]).long().to(images.device).reshape(len(images), -1, 2)
    with relaxed_max_pool(network.module, settings.max_pool):
        values = attributions(network.module, layer, shape, images, recorded, positions)
    return {**block, "attribution": values.flatten(0, 1).float().cpu().numpy()}
