"""A small random network whose layers keep less and less, and textures of known period and color."""

from functools import cache

import torch
from torch import Tensor, nn

from pipeline.config.model import PreprocessingSettings
from pipeline.model.build import freeze
from pipeline.model.discovery import discover_layers
from pipeline.model.network import Network

SIDE = 32
WIDE, MIDDLE, NARROW = "wide", "middle", "narrow"


class Narrowing(nn.Module):
    """Three convolutions: four times as many values as the image has, two thirds as many, a twelfth as many."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.LeakyReLU(0.3))
        self.middle = nn.Sequential(nn.Conv2d(12, 8, 4, stride=2, padding=1), nn.LeakyReLU(0.3))
        self.narrow = nn.Sequential(nn.Conv2d(8, 4, 4, stride=2, padding=1), nn.LeakyReLU(0.3))
        self.linear = nn.Linear(4, 2)

    def forward(self, images: Tensor) -> Tensor:
        """Two logits."""
        logits: Tensor = self.linear(self.narrow(self.middle(self.wide(images))).mean((2, 3)))
        return logits


class Textural(nn.Module):
    """Random filters of two scales, whose Gram matrices tell textures apart."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Sequential(nn.Conv2d(3, 24, 5, padding=2, padding_mode="circular"), nn.ReLU())
        self.middle = nn.Sequential(
            nn.AvgPool2d(2), nn.Conv2d(24, 24, 3, padding=1, padding_mode="circular"), nn.ReLU()
        )
        self.linear = nn.Linear(24, 2)

    def forward(self, images: Tensor) -> Tensor:
        """Two logits."""
        logits: Tensor = self.linear(self.middle(self.wide(images)).mean((2, 3)))
        return logits


@cache
def small_network(kind: type[nn.Module]) -> Network:
    """One of the two, with seeded weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = freeze(kind())
    preprocessing = PreprocessingSettings(crop=SIDE, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    return Network("small", module, ("a", "b"), preprocessing, discover_layers(module, SIDE))


def blobs(count: int, seed: int, side: int = SIDE, coarse: int = 8) -> Tensor:
    """Smooth random images, [image, 3, side, side]."""
    values = torch.rand(count, 3, coarse, coarse, generator=torch.Generator().manual_seed(seed))
    return nn.functional.interpolate(values, side, mode="bicubic", align_corners=False).clamp(0, 1)


def stripes(side: int = SIDE, period: int = 8) -> Tensor:
    """Upright orange and blue waves, [3, side, side]."""
    share = (1 + torch.cos(2 * torch.pi * torch.arange(side) / period)) / 2
    orange, blue = torch.tensor([0.9, 0.5, 0.1]), torch.tensor([0.1, 0.2, 0.7])
    colors = share * orange[:, None] + (1 - share) * blue[:, None]
    return colors[:, None].expand(3, side, side).contiguous()


def checks(side: int = SIDE, period: int = 6) -> Tensor:
    """Green and white waves along both axes, [3, side, side]."""
    wave = torch.cos(2 * torch.pi * torch.arange(side) / period)
    share = (1 + wave[:, None] * wave) / 2
    green, white = torch.tensor([0.1, 0.6, 0.2]), torch.full((3,), 0.9)
    return share * green[:, None, None] + (1 - share) * white[:, None, None]
