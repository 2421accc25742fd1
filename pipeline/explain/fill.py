"""Pixels of inputs, and what takes the place of those that are removed: gray, black, the mean color, or a blur."""

import torch
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from pipeline.config.explain import Baseline
from pipeline.config.model import PreprocessingSettings
from pipeline.model.inputs import normalize

BLUR = 0.05  # standard deviation, as a share of the input's side


def to_pixels(inputs: Tensor, preprocessing: PreprocessingSettings) -> Tensor:
    """RGB values of the network's inputs, rounded to 8 bits, uint8 [image, 3, y, x].

    Args:
        inputs: normalized, [image, 3, y, x].
        preprocessing: of the network.
    """
    mean = inputs.new_tensor(preprocessing.mean)[:, None, None]
    std = inputs.new_tensor(preprocessing.std)[:, None, None]
    return ((inputs * std + mean) * 255).round().clamp(0, 255).byte()


def filled(inputs: Tensor, fill: Baseline, preprocessing: PreprocessingSettings) -> Tensor:
    """Inputs of which every pixel is removed, of the same shape.

    Args:
        inputs: normalized, [image, 3, y, x].
        fill: what removed pixels become.
        preprocessing: of the network.
    """
    if fill == "blur":
        sigma = BLUR * inputs.shape[-1]
        width = min(2 * round(2 * sigma) + 1, 2 * (min(inputs.shape[-2:]) - 1) + 1)  # reflected at the borders
        blurred: Tensor = gaussian_blur(inputs, [width, width], [sigma, sigma])
        return blurred
    if fill == "mean":
        return torch.zeros_like(inputs)
    color = normalize(inputs.new_full((1, 3, 1, 1), {"gray": 0.5, "black": 0.0}[fill]), preprocessing)
    return color.expand_as(inputs).clone(memory_format=torch.preserve_format)
