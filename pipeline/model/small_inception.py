"""The default network: a small Inception for 64 × 64 pixels that two processor cores train in a minute or two.

Its blocks apply filters of several sizes to each position in parallel (Szegedy et al. 2015, with the two 3 × 3 for
a 5 × 5 of Szegedy et al. 2016), which gives layers with receptive fields of different sizes. Each block's
output is taken after the ReLU, and nothing works in place: these are the layers to visualize.

Maps are downsampled by average pooling (Zhang 2019, "Making Convolutional Networks Shift-Invariant Again"), and the
input is blurred by (1, 2, 1) first: feature visualization cannot exploit what the network cannot see, above all noise
of single pixels.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class ConvNorm(nn.Sequential):
    """Convolution, batch normalization, ReLU; the map keeps its size unless ``stride`` says otherwise."""

    def __init__(self, channels_in: int, channels_out: int, size: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(channels_in, channels_out, size, stride=stride, padding=size // 2, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(),
        )


class Mixed(nn.Module):
    """Four parallel branches: 1 × 1, 3 × 3, twice 3 × 3, and a pool; their outputs are concatenated.

    Args:
        channels_in: of the input.
        branches: output channels of each of the four branches.
    """

    def __init__(self, channels_in: int, branches: Sequence[int]) -> None:
        super().__init__()
        one, three, five, pool = branches
        self.one = ConvNorm(channels_in, one, 1)
        self.three = nn.Sequential(ConvNorm(channels_in, three // 2, 1), ConvNorm(three // 2, three, 3))
        self.five = nn.Sequential(
            ConvNorm(channels_in, five // 2, 1), ConvNorm(five // 2, five, 3), ConvNorm(five, five, 3)
        )
        self.pool = nn.Sequential(nn.AvgPool2d(3, stride=1, padding=1), ConvNorm(channels_in, pool, 1))
        self.channels = one + three + five + pool

    def forward(self, inputs: Tensor) -> Tensor:
        """From [batch, channels_in, y, x] to [batch, channels, y, x]."""
        return torch.cat([self.one(inputs), self.three(inputs), self.five(inputs), self.pool(inputs)], dim=1)


class SmallInception(nn.Module):
    """Blur, stem, four mixed blocks, mean over the map, one linear layer.

    For an input of 64 × 64 pixels ``mixed3a`` and ``mixed3b`` have 16 × 16 maps (96 and 128 channels), ``mixed4a`` and
    ``mixed4b`` 8 × 8 maps (160 and 192 channels).
    """

    def __init__(self, num_classes: int = 10, dropout: float = 0.2) -> None:
        super().__init__()
        self.stem1 = ConvNorm(3, 24, 5, stride=2)
        self.pool2 = nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)
        self.stem2 = ConvNorm(24, 48, 3)
        self.mixed3a = Mixed(48, (16, 40, 24, 16))
        self.mixed3b = Mixed(96, (24, 56, 32, 16))
        self.pool3 = nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)
        self.mixed4a = Mixed(128, (32, 64, 40, 24))
        self.mixed4b = Mixed(160, (40, 80, 48, 24))
        self.mean = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(192, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [batch, class] of normalized RGB images [batch, 3, y, x]."""
        low = self.mixed3b(self.mixed3a(self.stem2(self.pool2(self.stem1(images)))))
        high = self.mixed4b(self.mixed4a(self.pool3(low)))
        logits: Tensor = self.linear(self.dropout(torch.flatten(self.mean(high), 1)))
        return logits
