"""Small networks that differ from most in how they are called or in what they do; 32 × 32 pixels, five classes."""

from collections.abc import Mapping
from threading import Lock
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import spectral_norm, weight_norm

SIDE = 32
CLASSES = 5


class Plain(nn.Module):
    """Three convolutions and a linear head; subclasses change a part of it."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, 6, 3, stride=2, padding=1)
        self.second = nn.Conv2d(6, 6, 3, padding=1)
        self.short = nn.Conv2d(6, 6, 1)
        self.head = nn.Linear(6, CLASSES)

    def forward(self, images: Any) -> Any:
        """Logits [image, class]."""
        return self.finish(self.middle(self.first(images).relu()))

    def middle(self, grid: Tensor) -> Any:
        """What follows the first layer."""
        return (self.second(grid) + self.short(grid)).relu()

    def finish(self, grid: Tensor) -> Any:
        """Logits of the last map."""
        return self.head(grid.mean((2, 3)))


class ViewOfMap(Plain):
    """Flattens a map by ``view``, which needs dimensions in the order of memory."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(6 * 16 * 16, CLASSES)

    def finish(self, grid: Tensor) -> Any:
        """Logits of a view."""
        return self.head(grid.view(len(grid), -1))


class StridedMap(ViewOfMap):
    """Reads a map in the order of memory, which is silently wrong for another order."""

    def finish(self, grid: Tensor) -> Any:
        """Logits of the memory."""
        size = grid[0].numel()
        return self.head(torch.as_strided(grid, (len(grid), size), (size, 1)))


class _ViewOfGradient(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, values: Tensor) -> Tensor:
        return values.clone()

    @staticmethod
    def backward(_ctx: Any, gradient: Tensor) -> Tensor:
        return gradient.view(-1).view(gradient.shape)


class ViewInBackward(Plain):
    """Needs the order of memory in its backward pass only."""

    def middle(self, grid: Tensor) -> Any:
        """A gradient that is viewed."""
        return self.second(_ViewOfGradient.apply(grid)).relu()


class Gray(Plain):
    """Takes gray images."""

    def __init__(self) -> None:
        super().__init__(channels=1)


class FlatGray(nn.Module):
    """A perceptron on the pixels of gray images, with a map first."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 2, 1)
        self.head = nn.Linear(2 * SIDE * SIDE, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        logits: Tensor = self.head(self.first(images).view(len(images), -1))
        return logits


class Keyed(Plain):
    """Takes its images within a mapping."""

    def forward(self, images: Mapping[str, Tensor]) -> Any:
        """Logits [image, class]."""
        return super().forward(images["image"])


class KeyedByPop(Plain):
    """Takes its images within a mapping whose other entry may be absent."""

    def forward(self, images: Mapping[str, Tensor]) -> Any:
        """Logits [image, class]."""
        mask = images.get("mask")
        return super().forward(images["pixel_values"] if mask is None else images["pixel_values"] * mask)


class TwoKeys(Plain):
    """Needs more than images."""

    def forward(self, images: Mapping[str, Tensor]) -> Any:
        """Logits [image, class]."""
        return super().forward(images["image"] * images["mask"])


class Lazy(nn.Module):
    """Learns its sizes from the first images."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.LazyConv2d(6, 3, stride=2)
        self.norm = nn.LazyBatchNorm2d()
        self.head = nn.LazyLinear(CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        logits: Tensor = self.head(self.norm(self.first(images)).relu().flatten(1))
        return logits


def half() -> nn.Module:
    """A network of half precision."""
    return Plain().half()


def double() -> nn.Module:
    """A network of double precision."""
    return Plain().double()


class NamedLogits(Plain):
    """Returns a mapping, as other libraries do."""

    def finish(self, grid: Tensor) -> Any:
        """Logits and a map."""
        return {"hidden": grid.mean((2, 3)), "logits": super().finish(grid)}


class AuxiliaryInTraining(Plain):
    """Returns the logits of two heads while it is trained, as GoogLeNet does."""

    def finish(self, grid: Tensor) -> Any:
        """Logits, and in training those of the map before too."""
        logits = super().finish(grid)
        return (logits, self.short(grid)) if self.training else logits


class InPlaceSum(Plain):
    """Adds one convolution's output to another's in place."""

    def middle(self, grid: Tensor) -> Any:
        """The sum of two convolutions."""
        out = self.second(grid)
        out += self.short(grid)
        return out.relu()


class InPlaceSlice(Plain):
    """Adds to some of the channels in place."""

    def middle(self, grid: Tensor) -> Any:
        """The sum of two convolutions in half of the channels."""
        out = self.second(grid)
        out[:, :3] += self.short(grid)[:, :3]
        return out.relu()


class InPlaceShift(Plain):
    """Changes one convolution's output in place, without the other's."""

    def middle(self, grid: Tensor) -> Any:
        """The sum of two convolutions, one of them shifted."""
        out, other = self.second(grid), self.short(grid)
        out.add_(0.5)
        return (out * other).relu()


class InPlaceProduct(Plain):
    """Multiplies a function of one convolution's output by another's in place, through a method."""

    def middle(self, grid: Tensor) -> Any:
        """The product of two convolutions."""
        return functional.relu(self.second(grid)).mul_(self.short(grid))


class InPlaceWithImage(Plain):
    """Adds what follows the layer to the images themselves, averaged."""

    def forward(self, images: Tensor) -> Any:
        """Logits [image, class]."""
        grid = self.first(images)
        base = functional.avg_pool2d(images, 2)
        base += self.short(grid)[:, :3]
        return self.head(torch.cat([base, base], 1).mean((2, 3)))


class _Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        ctx.save_for_backward(values)
        return values.square()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (values,) = ctx.saved_tensors
        slope: Tensor = 2 * values
        return slope * gradient


class BackwardOnly(Plain):
    """Has an operation with a backward pass only."""

    def middle(self, grid: Tensor) -> Any:
        """The square of a convolution."""
        return _Square.apply(self.short(grid))


class _Cube(torch.autograd.Function):
    @staticmethod
    def forward(values: Tensor) -> Tensor:
        return values**3

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        del output
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (values,) = ctx.saved_tensors
        slope: Tensor = 3 * values**2
        return slope * gradient


class BackwardOnlyNewStyle(Plain):
    """Likewise, with a context of its own."""

    def middle(self, grid: Tensor) -> Any:
        """The cube of a convolution."""
        return _Cube.apply(self.short(grid))


class RecurrentHead(Plain):
    """Reads the map row by row."""

    def __init__(self, kind: type[nn.LSTM | nn.GRU] = nn.LSTM) -> None:
        super().__init__()
        self.recurrent = kind(6, 6, batch_first=True)

    def finish(self, grid: Tensor) -> Any:
        """Logits of the last row."""
        return self.head(self.recurrent(grid.mean(3).movedim(1, 2))[0][:, -1])


class GatedHead(RecurrentHead):
    """Likewise, with gated recurrent units."""

    def __init__(self) -> None:
        super().__init__(nn.GRU)


class FilledBuffer(Plain):
    """Writes its features into a new tensor."""

    def finish(self, grid: Tensor) -> Any:
        """Logits of a tensor that was filled."""
        filled = torch.zeros(len(grid), 6, dtype=grid.dtype)
        filled[:] = grid.square().mean((2, 3))
        return self.head(filled)


class AlwaysDropout(Plain):
    """Drops features at random in evaluation too."""

    def finish(self, grid: Tensor) -> Any:
        """Logits of some of the features."""
        return super().finish(functional.dropout(grid, 0.5))


class AlwaysNoise(Plain):
    """Adds noise in evaluation too."""

    def finish(self, grid: Tensor) -> Any:
        """Logits of noisy features."""
        return super().finish(grid + torch.randn_like(grid))


class Counting(Plain):
    """Keeps a count of its passes and answers by it."""

    def __init__(self) -> None:
        super().__init__()
        self.passes = 0

    def finish(self, grid: Tensor) -> Any:
        """Logits that grow with each pass."""
        self.passes += 1
        return super().finish(grid) * self.passes


class BatchStatistics(Plain):
    """Normalizes by the statistics of the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(6, track_running_stats=False)

    def finish(self, grid: Tensor) -> Any:
        """Logits of the normalized map."""
        return super().finish(self.norm(grid).square())


class LessBatchMean(Plain):
    """Subtracts the mean of the batch."""

    def finish(self, grid: Tensor) -> Any:
        """Logits of what distinguishes the images."""
        return super().finish(grid - grid.mean(0))


class Numpy(Plain):
    """Computes its last features by NumPy."""

    def finish(self, grid: Tensor) -> Any:
        """Logits of NumPy's mean."""
        return self.head(torch.from_numpy(grid.mean((2, 3)).numpy()))


class Detached(Plain):
    """Detaches its last map."""

    def finish(self, grid: Tensor) -> Any:
        """Logits of a map without a gradient."""
        return super().finish(grid.detach())


class NoGradFirst(Plain):
    """Computes its first layer without a gradient."""

    def forward(self, images: Tensor) -> Any:
        """Logits [image, class]."""
        with torch.no_grad():
            grid = self.first(images)
        return self.finish(self.middle(grid))


class DataFirst(Plain):
    """Takes the data of its images."""

    def forward(self, images: Tensor) -> Any:
        """Logits [image, class]."""
        return super().forward(images.data)


class WrongHead(Plain):
    """Has a bug: a head of another size."""

    def finish(self, grid: Tensor) -> Any:
        """Raise an error."""
        return self.head(grid.mean((2, 3))[:, :4])


class MissingEntry(Plain):
    """Has a bug: looks up what is not there."""

    def finish(self, grid: Tensor) -> Any:
        """Raise an error."""
        no_bias: dict[str, Tensor] = {}
        return super().finish(grid) + no_bias["bias"]


class BareAssertion(Plain):
    """Has an assertion without a message."""

    def finish(self, grid: Tensor) -> Any:
        """Raise an error."""
        assert grid.shape[1] == 7
        return super().finish(grid)


class WeightNorm(Plain):
    """Normalizes its weights by the hook that torch has deprecated."""

    def __init__(self) -> None:
        super().__init__()
        self.first = weight_norm(self.first)
        self.second = weight_norm(self.second)


class SpectralNorm(Plain):
    """Likewise."""

    def __init__(self) -> None:
        super().__init__()
        self.first = spectral_norm(self.first)


class Locked(Plain):
    """Holds what cannot be copied."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = Lock()


class OddlyNamed(Plain):
    """Modules whose names have a space, a dash, a letter beyond ASCII, a colon, and signs of addresses and shells."""

    ODD = ("conv 1", "größe-2", "#3?", "50%", "a:b", "x+y", "$(z)'")

    def __init__(self) -> None:
        super().__init__()
        for name in self.ODD:
            self.add_module(name, nn.Conv2d(6, 6, 3, padding=1))

    def middle(self, grid: Tensor) -> Any:
        """One after the other."""
        for name in self.ODD:
            grid = getattr(self, name)(grid).relu()
        return grid
