"""Small networks whose layers keep their outputs in unusual orders, with what the search has to answer.

The input is 32 × 32 pixels; a patch grid has 4 × 4 patches unless its name says otherwise.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pipeline.model.build import freeze
from pipeline.model.output_format import GivenFormat, OutputFormat
from tests.networks.checks import Row, in_words

CROP = 32
CLASSES = 5
WIDTH = 16  # channels


class Head(nn.Module):
    """Logits [image, class] from the mean over everything but the batch and the channels, here the last dimension."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.linear = nn.Linear(width, CLASSES)
        nn.init.normal_(self.linear.weight, std=3.0)  # so that logits depend on each position by more than rounding

    def forward(self, values: Tensor) -> Tensor:
        """Logits of values [image, …, channel]."""
        logits: Tensor = self.linear(values.flatten(1, -2).mean(1).tanh())
        return logits


class Rearranged(nn.Module):
    """Patches [image, channel, y, x] that a function brings into an order of its own; ``layer`` returns them so."""

    def __init__(
        self,
        rearrange: Callable[[Tensor], Tensor],
        restore: Callable[[Tensor], Tensor],
        patch: int | tuple[int, int] = 8,
        width: int = WIDTH,
    ) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, stride=patch)
        self.rearrange, self.restore = rearrange, restore
        self.layer = nn.Tanh()
        self.head = Head(width)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        logits: Tensor = self.head(self.restore(self.layer(self.rearrange(self.patches(images)))))
        return logits


class Tokens(nn.Module):
    """Patches as tokens with others around them, attention, and a sum as in a transformer."""

    def __init__(self, prefix: int = 0, suffix: int = 0, inside: int = 0) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 8, stride=8)
        self.places = nn.Parameter(torch.randn(16, WIDTH))
        self.before = nn.Parameter(torch.randn(prefix, WIDTH))
        self.inside = nn.Parameter(torch.randn(inside, WIDTH))
        self.after = nn.Parameter(torch.randn(suffix, WIDTH))
        self.attention = nn.MultiheadAttention(WIDTH, 2, batch_first=True)
        self.layer = nn.LayerNorm(WIDTH)
        self.head = Head()

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        patches = self.patches(images).flatten(2).mT + self.places
        special = [part.expand(len(images), -1, -1) for part in (self.before, self.inside, self.after)]
        tokens = torch.cat([special[0], patches[:, :8], special[1], patches[:, 8:], special[2]], 1)
        tokens = self.layer(tokens + self.attention(tokens, tokens, tokens, need_weights=False)[0])
        logits: Tensor = self.head(tokens)
        return logits


class LinearPatches(nn.Module):
    """Patches by unfolding and a linear layer: no output of the network is a map."""

    def __init__(self, height: int = 8, width: int = 8) -> None:
        super().__init__()
        self.unfold = nn.Unfold((height, width), stride=(height, width))
        self.layer = nn.Linear(3 * height * width, WIDTH)
        self.head = Head()

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        logits: Tensor = self.head(self.layer(self.unfold(images).mT))
        return logits


class Reused(nn.Module):
    """One ReLU that runs three times, on maps of other sizes and inside a block that itself runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.first = nn.Conv2d(3, WIDTH, 3, stride=2, padding=1)
        self.block = nn.Sequential(nn.Conv2d(WIDTH, WIDTH, 3, padding=1), self.relu)
        self.down = nn.MaxPool2d(2)
        self.head = Head()

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        maps = self.block(self.relu(self.first(images)))
        logits: Tensor = self.head(self.block(self.down(maps)).movedim(1, -1))
        return logits


class Recurrent(nn.Module):
    """A convolution with the same weights three times, with a sum around it."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 4, stride=4)
        self.step = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.head = Head()

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        maps = self.patches(images)
        for _ in range(3):
            maps = maps + self.step(maps).tanh()
        logits: Tensor = self.head(maps.movedim(1, -1))
        return logits


class PositionBias(nn.Module):
    """A network whose output is scaled by a small network of its own, which sees places instead of images."""

    def __init__(self, tables: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(tables, 4, 4, 3))
        self.layer = nn.Linear(3, WIDTH)
        self.patches = nn.Conv2d(3, WIDTH, 8, stride=8)
        self.head = Head()

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        bias = self.layer(self.table).mean(0).movedim(-1, 0)
        logits: Tensor = self.head((self.patches(images) * bias).movedim(1, -1))
        return logits


class BatchMean(nn.Module):
    """What each image differs from the mean of its batch."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 8, stride=8)
        self.layer = nn.Tanh()
        self.head = Head()

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        maps = self.patches(images)
        logits: Tensor = self.head(self.layer(maps - maps.mean(0)).movedim(1, -1))
        return logits


class Pair(nn.Module):
    """A layer that returns two tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 8, stride=8)
        self.layer = nn.AdaptiveMaxPool2d(2, return_indices=True)
        self.head = Head()

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        logits: Tensor = self.head(self.layer(self.patches(images))[0].movedim(1, -1))
        return logits


class TokenMixer(nn.Module):
    """A mixer's mixing of tokens: what comes out of ``mix`` depends on all patches alike."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 8, stride=8)
        self.turned = nn.Identity()
        self.mix = nn.Linear(16, 16)
        self.layer = nn.LayerNorm(WIDTH)
        self.head = Head()

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        tokens = self.patches(images).flatten(2)
        tokens = tokens + 0.3 * self.mix(self.turned(tokens))
        logits: Tensor = self.head(self.layer(tokens.mT))
        return logits


class WholeImage(nn.Module):
    """Every position of the first map depends on all of the image, so that no map behind it has places of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, WIDTH, 33, stride=8, padding=16)
        self.layer = nn.Conv2d(WIDTH, WIDTH, 5, padding=2)
        self.head = Head()

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        maps = self.first(images)[:, :, :4, :4]
        logits: Tensor = self.head(self.layer(maps).movedim(1, -1))
        return logits


class Transposed(nn.Module):
    """A map with x before y, and another convolution of it that sees the whole image."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, WIDTH, 8, stride=8)
        self.second = nn.Conv2d(WIDTH, WIDTH, 1)
        self.layer = nn.Conv2d(WIDTH, WIDTH, 7, padding=3)
        self.head = Head()

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        logits: Tensor = self.head(self.layer(self.second(self.first(images).mT)).movedim(1, -1))
        return logits


def windows(maps: Tensor) -> Tensor:
    """[image, window, place in the window, channel] of a map of 8 × 8, in windows of 4 × 4."""
    split = maps.reshape(len(maps), -1, 2, 4, 2, 4)
    return split.permute(0, 2, 4, 3, 5, 1).flatten(1, 2).flatten(2, 3)


def grid(kind: str, height: int = 4, width: int = 4, prefix: int = 0, suffix: int = 0) -> OutputFormat:
    """A format with the usual number of channels."""
    return OutputFormat(kind, WIDTH, height, width, prefix, suffix)  # type: ignore[arg-type]  # one of the kinds


class Odd(NamedTuple):
    """A network, one of its layers, and its format or a part of the line that refuses it."""

    build: Callable[[], nn.Module]
    layer: str
    expected: OutputFormat | str
    given: GivenFormat = GivenFormat()


def keep(values: Tensor) -> Tensor:
    """The values as they are."""
    return values


UNFOLLOWED = "do not follow the places of the image"
ODD = {
    "relu called three times, first": Odd(Reused, "relu:0", grid("map", 16, 16)),
    "relu called three times, in a block": Odd(Reused, "relu:2", grid("map", 8, 8)),
    "block called twice": Odd(Reused, "block:1", grid("map", 8, 8)),
    "layer called several times, no choice": Odd(Reused, "relu", r"relu:0, relu:1, relu:2$"),
    "a call that is not made": Odd(Reused, "block:2", r"block:0, block:1$"),
    "recurrent convolution": Odd(Recurrent, "step:1", grid("map", 8, 8)),
    "call of a layer that runs once": Odd(Recurrent, "patches:0", "calls 'patches' once"),
    "channels last": Odd(lambda: Rearranged(lambda m: m.movedim(1, -1), keep), "layer", grid("map_last")),
    "channels last, all sizes equal": Odd(
        lambda: Rearranged(lambda m: m.movedim(1, -1), keep, patch=2), "layer", grid("map_last", 16, 16)
    ),
    "channels first, all sizes equal": Odd(
        lambda: Rearranged(keep, lambda m: m.movedim(1, -1), patch=2), "layer", grid("map", 16, 16)
    ),
    "as many tokens as channels": Odd(lambda: Rearranged(lambda m: m.flatten(2).mT, keep), "layer", grid("tokens")),
    "as many channels as tokens": Odd(
        lambda: Rearranged(lambda m: m.flatten(2), lambda t: t.mT), "layer", grid("tokens_last")
    ),
    "channels before 64 tokens": Odd(
        lambda: Rearranged(lambda m: m.flatten(2), lambda t: t.mT, patch=4), "layer", grid("tokens_last", 8, 8)
    ),
    "rectangular grid": Odd(
        lambda: Rearranged(lambda m: m.flatten(2).mT, keep, patch=(4, 8)), "layer", grid("tokens", 8, 4)
    ),
    "no map at all": Odd(LinearPatches, "layer", grid("tokens")),
    "no map at all, rectangular grid": Odd(lambda: LinearPatches(4, 8), "layer", UNFOLLOWED),
    "class token": Odd(lambda: Tokens(prefix=1), "layer", grid("tokens", prefix=1)),
    "25 tokens, 9 of them first": Odd(lambda: Tokens(prefix=9), "layer", grid("tokens", prefix=9)),
    "25 tokens, 8 of them last": Odd(lambda: Tokens(1, 8), "layer", grid("tokens", prefix=1, suffix=8)),
    "class token last": Odd(lambda: Tokens(suffix=1), "layer", grid("tokens", suffix=1)),
    "class token in the middle": Odd(lambda: Tokens(inside=1), "layer", UNFOLLOWED),
    "wrong number of tokens given": Odd(lambda: Tokens(prefix=9), "layer", UNFOLLOWED, GivenFormat(None, 1)),
    "windows as rows": Odd(lambda: Rearranged(windows, keep, patch=4), "layer", UNFOLLOWED),
    "tokens in the order of windows": Odd(
        lambda: Rearranged(lambda m: windows(m).flatten(1, 2), keep, patch=4), "layer", UNFOLLOWED
    ),
    "windows in the batch": Odd(
        lambda: Rearranged(lambda m: windows(m).flatten(0, 1), lambda t: t.reshape(-1, 4, *t.shape[1:]), patch=4),
        "layer",
        "first dimension is not the batch",
    ),
    "x before y": Odd(lambda: Rearranged(lambda m: m.mT, lambda m: m.movedim(1, -1)), "layer", UNFOLLOWED),
    "x before y, then the whole image": Odd(Transposed, "layer", UNFOLLOWED),
    "the whole image, then convolutions": Odd(WholeImage, "layer", grid("map")),
    "upside down": Odd(lambda: Rearranged(lambda m: m.flip(2), lambda m: m.movedim(1, -1)), "layer", UNFOLLOWED),
    "rolled": Odd(
        lambda: Rearranged(lambda m: m.roll((4, 4), (2, 3)), lambda m: m.movedim(1, -1), 4), "layer", UNFOLLOWED
    ),
    "tokens before the batch": Odd(
        lambda: Rearranged(lambda m: m.flatten(2).permute(2, 0, 1), lambda t: t.transpose(0, 1)),
        "layer",
        "first dimension is not the batch",
    ),
    "heads before tokens": Odd(
        lambda: Rearranged(
            lambda m: m.flatten(2).mT.reshape(len(m), 16, 2, 8).transpose(1, 2), lambda t: t.transpose(1, 2).flatten(2)
        ),
        "layer",
        UNFOLLOWED,
    ),
    "five dimensions": Odd(
        lambda: Rearranged(lambda m: m.reshape(len(m), 2, 8, 4, 4), lambda m: m.flatten(1, 2).movedim(1, -1)),
        "layer",
        "without places",
    ),
    "position bias for one": Odd(lambda: PositionBias(1), "layer", "first dimension is not the batch"),
    "position bias for as many as images": Odd(lambda: PositionBias(2), "layer", "does not change"),
    "mean of the batch": Odd(BatchMean, "layer", "changes with the second image"),
    "two tensors": Odd(Pair, "layer", "of type tuple"),
    "channels before mixed tokens": Odd(TokenMixer, "turned", grid("tokens_last")),
    "mixed tokens": Odd(TokenMixer, "mix", UNFOLLOWED),
    "mixed tokens and a sum": Odd(TokenMixer, "layer", grid("tokens")),
    "layout given": Odd(
        lambda: Rearranged(lambda m: windows(m).flatten(1, 2), keep, patch=4),
        "layer",
        grid("tokens", 8, 8),
        GivenFormat("tokens"),
    ),
}


def build(odd: Odd) -> nn.Module:
    """The network with seeded weights, frozen."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return freeze(odd.build())


def judged(row: Row, odd: Odd) -> Row:
    """The row, which is right if the layer is read or refused as it has to be."""
    if isinstance(odd.expected, str):
        return replace(row, expected=re.search(odd.expected, row.refused) is not None)
    place = row.place if odd.given.layout is None else float("nan")  # nobody has verified a given layout
    return replace(row, expected=row.layout == in_words(odd.expected), place=place)
