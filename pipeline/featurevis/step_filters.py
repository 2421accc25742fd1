"""Filters between steps: on the gradient at each step, and on the image every few steps.

Before preconditioning and random transforms, gradient ascent was kept readable by filters: blur of the image and
clipping of small pixels (Yosinski et al. 2015), blur of the gradient (Øygard 2015), an edge-preserving blur of the
image (Tyka 2016), a mask that favors the center (Nguyen et al. 2016). The gradient is that with respect to the image,
whatever the image's parameters are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor
from torch.nn.functional import pad, unfold

Filter = Callable[[Tensor], Tensor]  # of images, or of gradients with respect to them, [image, 3, y, x]
GRAY = 0.5


@dataclass(frozen=True)
class StepFilters:
    """What is done to gradients and images between the steps of an optimization.

    Attributes:
        gradient: applied at each step, one after the other, to the gradient with respect to the image.
        image: applied to the image itself, one after the other.
        every: steps between two applications to the image.
    """

    gradient: tuple[Filter, ...] = ()
    image: tuple[Filter, ...] = ()
    every: int = 4

    def filter_gradient(self, gradient: Tensor) -> Tensor:
        """The filtered gradient with respect to images, [image, 3, y, x]."""
        for one in self.gradient:
            gradient = one(gradient)
        return gradient

    def is_due(self, step: int) -> bool:
        """Whether the image is filtered after a step, counted from 0."""
        return bool(self.image) and (step + 1) % self.every == 0

    def filter_image(self, images: Tensor) -> Tensor:
        """The filtered images [image, 3, y, x], in 0..1."""
        for one in self.image:
            images = one(images)
        return images.clamp(0, 1)


@dataclass(frozen=True)
class GaussianBlur:
    """Gaussian blur; beyond its edges an image continues as its mirror image.

    Attributes:
        sigma: standard deviation, pixels.
    """

    sigma: float

    def __call__(self, values: Tensor) -> Tensor:
        """Blurred values [image, channel, y, x]."""
        radius = min(ceil(3 * self.sigma), min(values.shape[-2:]) - 1)
        offsets = torch.arange(-radius, radius + 1, dtype=values.dtype, device=values.device)
        kernel = torch.exp(-(offsets**2) / (2 * self.sigma**2))
        kernel = kernel / kernel.sum()
        blurred = pad(values, (0, 0, radius, radius), mode="reflect")
        blurred = torch.einsum("bcyxk,k->bcyx", blurred.unfold(2, 2 * radius + 1, 1), kernel)
        blurred = pad(blurred, (radius, radius, 0, 0), mode="reflect")
        return torch.einsum("bcyxk,k->bcyx", blurred.unfold(3, 2 * radius + 1, 1), kernel)


@dataclass(frozen=True)
class Bilateral:
    """Bilateral filter: a blur over pixels that are near each other in the image and in color (Tomasi & Manduchi 1998).

    Attributes:
        sigma: standard deviation in the image, pixels.
        color_sigma: standard deviation of the distance between colors in 0..1.
    """

    sigma: float
    color_sigma: float

    def __call__(self, images: Tensor) -> Tensor:
        """Filtered images [image, 3, y, x]."""
        radius = max(1, round(2 * self.sigma))
        side = 2 * radius + 1
        neighbors = unfold(pad(images, (radius,) * 4, mode="reflect"), side)
        neighbors = neighbors.view(len(images), 3, side * side, *images.shape[-2:])
        offsets = torch.arange(-radius, radius + 1, dtype=images.dtype, device=images.device)
        distance = (offsets[:, None] ** 2 + offsets**2).flatten() / (2 * self.sigma**2)
        color = (neighbors - images[:, :, None]).square().sum(1) / (2 * self.color_sigma**2)
        weights = torch.exp(-(distance[:, None, None] + color))
        return (neighbors * weights[:, None]).sum(2) / weights.sum(1)[:, None]


@dataclass(frozen=True)
class ClipSmallest:
    """Sets the pixels of the smallest norm to the origin.

    Attributes:
        share: of the pixels, 0..1.
        origin: middle gray for images, 0 for gradients.
    """

    share: float
    origin: float = GRAY

    def __call__(self, values: Tensor) -> Tensor:
        """Clipped values [image, 3, y, x]."""
        norm = (values - self.origin).square().sum(1, keepdim=True)
        limit = norm.flatten(1).quantile(self.share, dim=1)[:, None, None, None]
        return torch.where(norm > limit, values, torch.full_like(values, self.origin))


@dataclass(frozen=True)
class CenterBias:
    """Weighs a gradient by a Gaussian around the image's center.

    Attributes:
        sigma: standard deviation, as a share of the side.
    """

    sigma: float

    def __call__(self, gradient: Tensor) -> Tensor:
        """Weighted gradients [image, 3, y, x]."""
        rows, columns = (
            (torch.arange(side, dtype=gradient.dtype, device=gradient.device) + 0.5) / side - 0.5
            for side in gradient.shape[-2:]
        )
        return gradient * torch.exp(-(rows[:, None] ** 2 + columns**2) / (2 * self.sigma**2))
