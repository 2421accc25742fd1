"""Priors that are learned from the run's own images: a denoiser, a small generator, and a database of patches.

A denoiser moves an image along the gradient of the logarithm of the images' density (Alain & Bengio 2014); with it
between the steps, gradient ascent stays near real images (Nguyen et al. 2017, "Plug & Play Generative Networks"). A
generator restricts images to those that it can make (Nguyen et al. 2016). A database replaces each small patch by the
real one that is most like it (Wei et al. 2015). All are small, are trained in some minutes on two cores, and
know nothing but the images that they are given.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import log2

import torch
from torch import Tensor, nn
from torch.nn.functional import elu, fold, interpolate, mse_loss, unfold

from pipeline.featurevis.parameterization import sigmoid_with_contrast

BATCH = 32
TRAINED_SIDE = 48  # of the crops that the denoiser is trained on, pixels
LARGEST_NOISE = 0.25  # standard deviation of the noise that the denoiser takes off, of values in 0..1
COARSEST, FINEST = 6, 64  # sides of the generator's coarsest map and, at most, of its finest one, which is enlarged
KL_WEIGHT = 2e-3  # of the latent values' distance from a normal distribution, beside the squared error of a pixel
PATCH, STRIDE = 8, 4  # of the database, pixels
PATCHES = 8192  # in the database, at most


class Denoiser(nn.Module):
    """Predicts the noise of an image by five convolutions (after Zhang et al. 2017, DnCNN)."""

    def __init__(self, width: int = 32) -> None:
        """With random weights.

        Args:
            width: channels of the inner maps.
        """
        super().__init__()
        widths = [3, width, width, width, width, 3]
        # zeros beyond the edges would darken the border of each image that is filtered again and again
        self.layers = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1, padding_mode="reflect") for before, after in pairwise(widths)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Images [image, 3, y, x] without their noise."""
        values = images - 0.5
        for layer in self.layers[:-1]:
            values = layer(values).relu()
        predicted: Tensor = self.layers[-1](values)
        return images - predicted


def train_denoiser(images: Tensor, steps: int, seed: int) -> Denoiser:
    """A denoiser of these images, for noise of a standard deviation up to :data:`LARGEST_NOISE`.

    Args:
        images: RGB in 0..1, [image, 3, y, x].
        steps: of Adam.
        seed: of the weights, the crops and the noise.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Denoiser()
    generator = torch.Generator().manual_seed(seed)
    for clean in _trained(network, images, steps, generator, 2e-3):
        level = LARGEST_NOISE * torch.rand(len(clean), 1, 1, 1, generator=generator)
        noisy = clean + level * torch.randn(clean.shape, generator=generator)
        _add_gradient(network, mse_loss(network(noisy), clean))
    return network


@dataclass(frozen=True, eq=False)
class DenoiserFilter:
    """Moves images towards what a denoiser takes them for; a filter for images between steps.

    Attributes:
        denoiser: of images in 0..1.
        strength: share of the way, 0..1.
    """

    denoiser: Denoiser
    strength: float

    def __call__(self, images: Tensor) -> Tensor:
        """Filtered images [image, 3, y, x]."""
        with torch.no_grad():
            return images.lerp(self.denoiser.to(images.device)(images), self.strength)


class Autoencoder(nn.Module):
    """A variational autoencoder (Kingma & Welling 2014) of square images of one size."""

    def __init__(self, side: int, latent: int = 96, width: int = 24) -> None:
        """With random weights.

        Args:
            side: of the images, pixels.
            latent: latent values of an image.
            width: channels of the finest map; coarser ones have more.
        """
        super().__init__()
        self.side, levels = side, max(1, round(log2(min(side, FINEST) / COARSEST)))
        self.grid = COARSEST * 2**levels
        widths = [width * min(4, 2**level) for level in range(levels)]
        self.down = nn.ModuleList(
            nn.Conv2d(before, after, 4, stride=2, padding=1)
            for before, after in zip([3, *widths], widths, strict=False)
        )
        self.to_latent = nn.Linear(widths[-1] * COARSEST**2, 2 * latent)
        self.from_latent = nn.Linear(latent, widths[-1] * COARSEST**2)
        self.up = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1)
            for before, after in zip(widths[::-1], [*widths[-2::-1], width], strict=True)
        )
        self.to_image = nn.Conv2d(width, 3, 3, padding=1)
        self.latent = latent

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of the latent values of images [image, 3, y, x] in 0..1."""
        values = interpolate(images - 0.5, (self.grid, self.grid), mode="bilinear", align_corners=False)
        for layer in self.down:
            values = elu(layer(values))
        mean, log_variance = self.to_latent(values.flatten(1)).chunk(2, dim=1)
        return mean, log_variance.clamp(-8, 4)

    def decode(self, latent: Tensor) -> Tensor:
        """Images [image, 3, side, side] in 0..1 of latent values [image, value]."""
        values = self.from_latent(latent).view(len(latent), -1, COARSEST, COARSEST)
        for layer in self.up:
            values = elu(layer(interpolate(values, scale_factor=2.0, mode="nearest")))
        images = self.to_image(values)
        resized = interpolate(images, (self.side, self.side), mode="bilinear", align_corners=False, antialias=True)
        return sigmoid_with_contrast(resized, None)  # torch's own rounds otherwise at the end of a batch


def train_autoencoder(images: Tensor, steps: int, seed: int) -> Autoencoder:
    """A variational autoencoder of these images.

    Args:
        images: RGB in 0..1, square, [image, 3, y, x].
        steps: of Adam.
        seed: of the weights, the batches and the latent noise.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Autoencoder(images.shape[-1])
    generator = torch.Generator().manual_seed(seed)
    for batch in _trained(network, images, steps, generator, 1e-3, side=images.shape[-1]):
        mean, log_variance = network.encode(batch)
        latent = mean + (0.5 * log_variance).exp() * torch.randn(mean.shape, generator=generator)
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        _add_gradient(network, mse_loss(network.decode(latent), batch) + KL_WEIGHT * divergence)
    return network


@dataclass(frozen=True, eq=False)
class GeneratedImages:
    """A parameterization: images are what a generator makes of their parameters, its latent values.

    Attributes:
        generator: trained; it is not changed.
    """

    generator: Autoencoder

    @property
    def shape(self) -> tuple[int, ...]:
        """Latent values of one image."""
        return (self.generator.latent,)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the images, pixels."""
        return (self.generator.side, self.generator.side)

    def decode(self, parameters: Tensor) -> Tensor:
        """Latent values [image, value] as RGB images [image, 3, y, x] in 0..1."""
        return self.generator.to(parameters.device).decode(parameters)

    def encode(self, images: Tensor) -> Tensor:
        """The latent values of images [image, 3, y, x] in 0..1; what the generator cannot make is lost."""
        return self.generator.to(images.device).encode(images)[0]


@dataclass(frozen=True, eq=False)
class PatchDatabase:
    """Moves each small patch of an image towards the most alike real one; a filter for images between steps.

    Patches are compared without their mean color, which they keep.

    Attributes:
        patches: [patch, value], of zero mean color.
        strength: share of the way, 0..1.
    """

    patches: Tensor
    strength: float

    def __call__(self, images: Tensor) -> Tensor:
        """Filtered images [image, 3, y, x]."""
        patches = self.patches.to(images.device)
        size = (images.shape[-2], images.shape[-1])
        found = _patches_of(images)
        mean = _mean_color(found)
        rows = (found - mean).flatten(0, 1)
        distance = patches.square().sum(1) - 2 * rows @ patches.T
        nearest = patches[distance.argmin(1)].view_as(found) + mean
        summed, count = (fold(values.mT, size, PATCH, stride=STRIDE) for values in (nearest, torch.ones_like(nearest)))
        real = torch.where(count > 0, summed / count.clamp(min=1), images)
        return images.lerp(real, self.strength)


def patch_database(images: Tensor, strength: float, seed: int) -> PatchDatabase:
    """The database of patches of these images.

    Args:
        images: RGB in 0..1, [image, 3, y, x].
        strength: see :class:`PatchDatabase`.
        seed: of the choice of patches.
    """
    places = _patches_of(images[:1]).shape[1]
    count = len(images) * places
    chosen = torch.randperm(count, generator=torch.Generator().manual_seed(seed))[:PATCHES].sort().values
    # image by image: the patches of all images together would take many times the memory of the images
    rows = torch.cat(
        [
            _patches_of(images[number : number + 1])[0, chosen[chosen // places == number] % places]
            for number in torch.unique(chosen // places).tolist()
        ]
    )
    return PatchDatabase(rows - _mean_color(rows), strength)


def _patches_of(images: Tensor) -> Tensor:
    """All patches of images [image, 3, y, x], [image, patch, value]."""
    return unfold(images, PATCH, stride=STRIDE).mT


def _mean_color(patches: Tensor) -> Tensor:
    """Of patches [..., value], repeated for each of their values."""
    by_color = patches.reshape(*patches.shape[:-1], 3, PATCH * PATCH)
    return by_color.mean(-1, keepdim=True).expand_as(by_color).reshape(patches.shape)


def _add_gradient(network: nn.Module, loss: Tensor) -> None:
    parameters = list(network.parameters())
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient


def _trained(
    network: nn.Module,
    images: Tensor,
    steps: int,
    generator: torch.Generator,
    learning_rate: float,
    side: int = TRAINED_SIDE,
) -> Iterator[Tensor]:
    """Batches of random crops; after each one the network takes a step along the gradient that it got."""
    side = min(side, *images.shape[-2:])
    optimizer = torch.optim.AdamW(network.parameters(), learning_rate)
    for step in range(steps):
        rows = torch.randint(len(images), (BATCH,), generator=generator)
        top, left = (int(torch.randint(length - side + 1, (), generator=generator)) for length in images.shape[-2:])
        optimizer.param_groups[0]["lr"] = learning_rate * (1 - step / steps)
        optimizer.zero_grad()
        yield images[rows, :, top : top + side, left : left + side]
        optimizer.step()
    network.requires_grad_(False).eval()
