"""From an image to the network's input."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as transforms

from pipeline.model.config import PreprocessingSettings


def network_crop(image: Image.Image, settings: PreprocessingSettings) -> Image.Image:
    """The part of an RGB image that the network sees, ``crop`` × ``crop`` pixels.

    The shorter side becomes ``resize`` pixels, then the centre is cut out. An image smaller than the crop is enlarged
    to it rather than framed in black, which the network would see as an object.
    """
    side = settings.resize
    if side is None and min(image.size) < settings.crop:
        side = settings.crop
    if side is not None:
        side = max(side, settings.crop)
        image = transforms.resize(image, [side], InterpolationMode(settings.interpolation))
    return transforms.center_crop(image, [settings.crop, settings.crop])  # type: ignore[no-any-return]  # untyped


def to_tensor(image: Image.Image, settings: PreprocessingSettings) -> Tensor:
    """A cropped RGB image as the network's input, float32 [3, crop, crop], normalised per channel."""
    pixels = torch.from_numpy(np.array(image, dtype=np.float32)).movedim(-1, 0) / 255
    return normalise(pixels, settings)


def normalise(pixels: Tensor, settings: PreprocessingSettings) -> Tensor:
    """RGB values in 0..1, [..., 3, y, x], with the network's mean taken off and divided by its deviation."""
    mean = pixels.new_tensor(settings.mean)[:, None, None]
    std = pixels.new_tensor(settings.std)[:, None, None]
    return (pixels - mean) / std
