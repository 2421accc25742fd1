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
    """A cropped RGB image as the network's input, float32 [3, crop, crop], normalised per channel.

    In memory the channels of a pixel lie side by side, as in the image. Whole lines of pixels are worked on at once,
    with the channels' numbers repeated along them: an operation on three numbers at a time costs many times more.
    """
    height, width = image.height, image.width
    lines = torch.from_numpy(np.array(image)).to(torch.float32).reshape(height, width * 3)
    mean, std = (lines.new_tensor(numbers).repeat(width) for numbers in (settings.mean, settings.std))
    return lines.div_(255).sub_(mean).div_(std).reshape(height, width, 3).movedim(-1, 0)


def normalise(pixels: Tensor, settings: PreprocessingSettings) -> Tensor:
    """RGB values in 0..1, [..., 3, y, x], with the network's mean taken off and divided by its deviation."""
    mean = pixels.new_tensor(settings.mean)[:, None, None]
    std = pixels.new_tensor(settings.std)[:, None, None]
    return (pixels - mean) / std
