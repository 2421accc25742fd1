"""A network with a unit that detects either of two known patterns."""

import torch
from torch import Tensor, nn

from pipeline.config.model import PreprocessingSettings
from pipeline.model.build import freeze
from pipeline.model.discovery import discover_layers
from pipeline.model.network import Network

SIDE, KERNEL = 32, 8


def pattern(number: int, side: int = KERNEL) -> Tensor:
    """Red and green vertical stripes (0), or blue and yellow horizontal ones (1), [3, side, side], of zero mean."""
    stripe = torch.where(torch.arange(side) // 2 % 2 == 0, 1.0, -1.0)
    along = stripe.expand(side, side) if number == 0 else stripe[:, None].expand(side, side)
    colors = torch.tensor([1.0, -1.0, 0.0] if number == 0 else [-0.5, -0.5, 1.0])
    return colors[:, None, None] * along


class EitherPattern(nn.Module):
    """The larger one of two channels, and the first alone."""

    def forward(self, found: Tensor) -> Tensor:
        """[image, 2, y, x] of [image, 2, y, x]."""
        return torch.stack([found.amax(1), found[:, 0]], dim=1)


class Detector(nn.Module):
    """A filter for each pattern, their rectified responses, the larger of them, and a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.filters = nn.Conv2d(3, 2, KERNEL, stride=2)
        self.patterns = nn.ReLU()
        self.either = EitherPattern()
        self.head = nn.Linear(2, 5)
        kernels = torch.stack([pattern(number) / pattern(number).norm() for number in (0, 1)])
        self.filters.weight.data, self.filters.bias = kernels, nn.Parameter(torch.zeros(2))

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        found = self.either(self.patterns(self.filters(images)))
        logits: Tensor = self.head(found.mean((2, 3)))
        return logits


def detector() -> Network:
    """The network, for 32 × 32 pixels."""
    module = freeze(Detector())
    preprocessing = PreprocessingSettings(crop=SIDE, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    return Network("detector", module, tuple("abcde"), preprocessing, discover_layers(module, SIDE))


def striped(number: int, seed: int) -> Tensor:
    """An image of a pattern with noise and a random shift, [3, SIDE, SIDE] in 0..1."""
    generator = torch.Generator().manual_seed(seed)
    shift = int(torch.randint(4, (1,), generator=generator))
    clean = pattern(number, SIDE).roll((shift, shift), (1, 2))
    noise = torch.rand(clean.shape, generator=generator) - 0.5
    return (0.5 + 0.35 * clean + 0.2 * noise).clamp(0, 1)
