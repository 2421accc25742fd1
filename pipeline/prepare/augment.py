"""Chance changes to training images: the network is to learn shapes and textures, not places and exact colours."""

from math import pi

import torch
from torch import Tensor
from torch.nn import functional

TURN = 8.0  # degrees either way
ZOOM = 0.18  # share of the size, larger or smaller
SHIFT = 0.14  # share of half the side, either way
CONTRAST = 0.25
BRIGHTNESS = 0.12
TINT = 0.12  # how far each colour channel takes in the others


def augment(images: Tensor, generator: torch.Generator, flip: bool, noise: float) -> Tensor:
    """Turn, scale, shift, perhaps mirror, tint and roughen each image by its own chance.

    Args:
        images: float32 [image, 3, y, x] in 0..1.
        generator: of the chance.
        flip: mirror half of them left to right; wrong for letters and digits.
        noise: standard deviation of Gaussian noise added to each value.

    Returns:
        The same shape and range.
    """
    moved = _move(images, generator, flip)
    tinted = _tint(moved, generator)
    rough = tinted + noise * torch.randn(tinted.shape, generator=generator)
    return rough.clamp(0, 1)


def _spread(count: int, limit: float, generator: torch.Generator) -> Tensor:
    return (torch.rand(count, generator=generator) * 2 - 1) * limit


def _move(images: Tensor, generator: torch.Generator, flip: bool) -> Tensor:
    count = len(images)
    angle = _spread(count, TURN * pi / 180, generator)
    scale = 1 + _spread(count, ZOOM, generator)
    shift = torch.stack([_spread(count, SHIFT, generator), _spread(count, SHIFT, generator)], dim=1)
    sign = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0) if flip else torch.ones(count)
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    rows = torch.stack([torch.stack([sign * cosine, -sine], dim=1), torch.stack([sign * sine, cosine], dim=1)], dim=1)
    grid = functional.affine_grid(torch.cat([rows, shift[:, :, None]], dim=2), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def _tint(images: Tensor, generator: torch.Generator) -> Tensor:
    count = len(images)
    mixing = torch.eye(3) + TINT * torch.randn(count, 3, 3, generator=generator)
    gain = 1 + _spread(count, CONTRAST, generator)
    light = _spread(count, BRIGHTNESS, generator)
    tinted = torch.einsum("nij,njyx->niyx", mixing, images - 0.5)
    return gain[:, None, None, None] * tinted + (0.5 + light)[:, None, None, None]
