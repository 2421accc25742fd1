"""Two other starts and parameterizations, for the study alone: random phases, and an untrained network."""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor
from torch.nn.functional import conv2d, instance_norm, interpolate, relu

from pipeline.config.render import RenderSettings
from pipeline.featurevis.parameterization import ImageParameterization, image_parameterization

MACO_LEARNING_RATE = 0.3  # radians that a phase moves in one step, about
PRIOR_LEARNING_RATE = 0.01
WIDTHS = (48, 32, 24, 16)  # channels of the untrained network, from its coarsest map to its finest


@dataclass(frozen=True)
class DeepImagePrior:
    """Images as the outputs of small untrained networks, one for each image (Ulyanov et al. 2018, deep image prior).

    Each takes the same fixed noise through four convolutions with an enlargement before each but the first; its output
    gets color and contrast as the engine's planes do.

    Attributes:
        pixels: from color planes to images.
        seed: of the initial weights and of the noise.
    """

    pixels: ImageParameterization
    seed: int

    @property
    def shape(self) -> tuple[int, ...]:
        """All weights of one network."""
        return (sum(prod(shape) for shape in _WEIGHT_SHAPES),)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the images, pixels."""
        return self.pixels.size

    def start(self, images: int) -> Tensor:
        """The initial weights, the same for all images, [image, weight]."""
        _, generator = self._noise_and_generator()
        weights = [torch.randn(shape, generator=generator) * (2 / (9 * shape[1])) ** 0.5 for shape in _WEIGHT_SHAPES]
        return torch.cat([weight.flatten() for weight in weights]).repeat(images, 1)

    def decode(self, parameters: Tensor) -> Tensor:
        """Weights [image, weight] as images [image, 3, y, x] in 0..1."""
        images, height = len(parameters), self.size[0]
        noise, _ = self._noise_and_generator()
        values = noise.to(parameters).repeat(1, images, 1, 1)
        parts = torch.split(parameters, [prod(shape) for shape in _WEIGHT_SHAPES], dim=1)
        for index, (part, shape) in enumerate(zip(parts, _WEIGHT_SHAPES, strict=True)):
            kernels = part.reshape(images * shape[0], *shape[1:])
            values = conv2d(values, kernels, padding=1, groups=images)
            if index < len(_WEIGHT_SHAPES) - 1:
                side = height * 2 ** (index + 1) // 8
                values = relu(instance_norm(values))
                values = interpolate(values, (side, side), mode="bilinear", align_corners=False)
        return self.pixels.decode(values.view(images, 3, *self.size))

    def _noise_and_generator(self) -> tuple[Tensor, torch.Generator]:
        """The input of all networks, and the generator that their weights come from next."""
        generator = torch.Generator().manual_seed(self.seed)
        side = self.size[0] // 8
        return torch.randn(1, WIDTHS[0], side, side, generator=generator), generator


_WEIGHT_SHAPES = tuple((after, before, 3, 3) for before, after in zip(WIDTHS, (*WIDTHS[1:], 3), strict=True))


def random_phases(noise: Tensor) -> Tensor:
    """The phases of normal noise [image, 3, y, x], which MaCo starts from."""
    phases: Tensor = torch.fft.rfft2(noise).angle()
    # the mean of a photograph is no matter of phase
    phases[..., 0, 0] = torch.where(phases[..., 0, 0].abs() > 1, torch.pi, 0.0)
    return phases


def pixels(settings: RenderSettings, contrast: float | None) -> ImageParameterization:
    """From color planes to images, with the color of the settings."""
    size = (settings.size, settings.size)
    return image_parameterization(
        "pixel", size, decorrelate=settings.decorrelate, chroma=settings.chroma, contrast=contrast
    )
