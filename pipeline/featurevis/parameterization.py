"""Image parameterizations: what gradient ascent changes, and the RGB image that it stands for.

An image is written down in three linear steps and one nonlinear one: parameters (a spectrum or pixels) become three
planes, the planes are mixed into correlated RGB values, and a sigmoid brings these into 0..1. Preconditioning by the
spectrum and by decorrelated color follows Olah et al. 2017, "Feature Visualization".
"""

from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import Any, Literal, Protocol

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

DARKEST = 1 / 512  # a stored image has 256 levels; black and white are encoded as half a level less

# Principal axes of the RGB values (0..1) of the ImageNet photographs, one a column: lightness, blue to yellow,
# magenta to green; and the variance along each (Krizhevsky et al. 2012, section 4.1, as published with its successors).
_AXES = ((-0.5675, 0.7192, 0.4009), (-0.5808, -0.0045, -0.8140), (-0.5836, -0.6948, 0.4203))
_VARIANCES = (0.2175, 0.0188, 0.0045)


class Decoder(Protocol):
    """Parameters that can be shown as images: all that :func:`pipeline.featurevis.optimize.optimize` needs."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the parameters of one image."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the images, pixels."""

    def decode(self, parameters: Tensor) -> Tensor:
        """Parameters [image, *shape] as RGB images [image, 3, y, x] in 0..1."""


class Parameterization(Decoder, Protocol):
    """A decoder with an inverse, so that an optimization can start from a given image."""

    def encode(self, images: Tensor) -> Tensor:
        """RGB images [image, 3, y, x] in 0..1 as parameters [image, *shape]."""


class Basis(Protocol):
    """A linear map between parameters and the three planes of an image.

    Parameters of unit variance give planes of unit variance, so that a learning rate and an initial standard deviation
    mean the same whatever the basis and the size.
    """

    @property
    def height(self) -> int:
        """Of the image, pixels."""

    @property
    def width(self) -> int:
        """Of the image, pixels."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the parameters of one image."""

    def to_planes(self, parameters: Tensor) -> Tensor:
        """Parameters [image, *shape] as unbounded planes [image, 3, y, x]."""

    def to_parameters(self, planes: Tensor) -> Tensor:
        """The inverse of :meth:`to_planes`."""


@dataclass(frozen=True)
class PixelBasis:
    """One parameter for each pixel and plane.

    Attributes:
        height, width: of the image, pixels.
    """

    height: int
    width: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the parameters of one image."""
        return (3, self.height, self.width)

    def to_planes(self, parameters: Tensor) -> Tensor:
        """The parameters themselves, [image, 3, y, x]."""
        return parameters

    def to_parameters(self, planes: Tensor) -> Tensor:
        """The planes themselves."""
        return planes


@dataclass(frozen=True)
class FourierBasis:
    """Real and imaginary parts of the spectrum of each plane, scaled like the spectra of natural images.

    Photographs have a spectrum that falls with frequency. Optimizing the spectrum divided by that fall gives every
    frequency the same step; optimizing pixels favors high frequencies, which look like noise.

    Attributes:
        height, width: of the image, pixels.
        decay_power: the scale falls as 1 / frequency ** decay_power; 1 is that of natural images.
        chroma_decay: added to it for the second and third plane. Where these are color axes, the fine color that
            gradient ascent adds is mostly noise, which looks like speckles in the colors of the rainbow.
    """

    height: int
    width: int
    decay_power: float
    chroma_decay: float = 0.0

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the parameters of one image."""
        return (3, self.height, self.width // 2 + 1, 2)

    def to_planes(self, parameters: Tensor) -> Tensor:
        """The spectra [image, *shape] as planes [image, 3, y, x]."""
        spectrum = torch.view_as_complex(parameters * self._scale.to(parameters))
        planes: Tensor = torch.fft.irfft2(spectrum, s=(self.height, self.width), norm="ortho")
        return planes

    def to_parameters(self, planes: Tensor) -> Tensor:
        """The inverse of :meth:`to_planes`."""
        spectrum = torch.fft.rfft2(planes, norm="ortho")
        return torch.view_as_real(spectrum) / self._scale.to(planes)

    @cached_property
    def _scale(self) -> Tensor:
        """Scale of each frequency of each plane, [plane, y, x // 2 + 1, 2]."""
        chroma = self._plane_scale(self.decay_power + self.chroma_decay)
        return torch.stack([self._plane_scale(self.decay_power), chroma, chroma])[..., None].repeat(1, 1, 1, 2)

    def _plane_scale(self, decay_power: float) -> Tensor:
        """Scale of each frequency [y, x // 2 + 1]; unit parameters give a plane whose mean square is 1."""
        rows = torch.fft.fftfreq(self.height, dtype=torch.float64)[:, None]
        columns = torch.fft.rfftfreq(self.width, dtype=torch.float64)
        # the constant plane has frequency 0; it gets the scale of one wave across the image's longer side
        frequency = torch.sqrt(rows**2 + columns**2).clamp(min=1 / max(self.height, self.width))
        scale = frequency**-decay_power
        # a column between the first and the last stands for its mirror image too, which doubles its waves' height
        column_power = torch.full_like(columns, 4.0)
        column_power[0] = 1.0
        if self.width % 2 == 0:
            column_power[-1] = 1.0
        power = (scale**2 * column_power).sum() / (self.height * self.width)
        return (scale / power.sqrt()).float()


@dataclass(frozen=True)
class ImageParameterization:
    """Parameters as RGB images in 0..1.

    Attributes:
        basis: from parameters to planes.
        decorrelate: the planes are color axes that are uncorrelated in natural images, rather than red, green and blue.
        chroma: strength of color against lightness on those axes; 1 is that of photographs.
        contrast: root mean square of each image's values before the sigmoid; None leaves it free. An image of fixed
            contrast cannot raise an objective by fading or by saturating, and uses its whole area as photographs do.
    """

    basis: Basis
    decorrelate: bool
    chroma: float = 1.0
    contrast: float | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the parameters of one image."""
        return self.basis.shape

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the images, pixels."""
        return (self.basis.height, self.basis.width)

    def decode(self, parameters: Tensor) -> Tensor:
        """Parameters [image, *shape] as RGB images [image, 3, y, x] in 0..1."""
        planes = self.basis.to_planes(parameters)
        values = (self._color_matrix.to(planes) @ planes.flatten(2)).view_as(planes)
        return sigmoid_with_contrast(values, self.contrast)

    def encode(self, images: Tensor) -> Tensor:
        """The parameters of given images.

        Args:
            images: RGB in 0..1, [image, 3, y, x].

        Returns:
            [image, *shape]. With a fixed contrast, the images come back with that contrast, and the norm of the
            parameters is that of noise of unit variance, so that a learning rate means the same to them.
        """
        values = torch.logit(images.clamp(DARKEST, 1 - DARKEST))
        if self.contrast:
            values = values * (self._color_matrix.square().sum() / 3).sqrt() / root_mean_square(values)
        planes = torch.linalg.inv(self._color_matrix).to(values) @ values.flatten(2)
        return self.basis.to_parameters(planes.view_as(values))

    @cached_property
    def _color_matrix(self) -> Tensor:
        return color_correlation(self.chroma) if self.decorrelate else torch.eye(3)


@dataclass(frozen=True)
class PixelValues:
    """The RGB values themselves, as gradient ascent was first published (Simonyan et al. 2014).

    Parameter 0 is middle gray, and parameters of unit variance have about the contrast of photographs. Values beyond
    black and white are shown as these, but keep their gradient, so that a penalty can bring them back.

    Attributes:
        height, width: of the image, pixels.
    """

    height: int
    width: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the parameters of one image."""
        return (3, self.height, self.width)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the images, pixels."""
        return (self.height, self.width)

    def decode(self, parameters: Tensor) -> Tensor:
        """Parameters [image, 3, y, x] as RGB images [image, 3, y, x] in 0..1."""
        values = 0.5 + parameters / 4
        return values + (values.clamp(0, 1) - values).detach()

    def encode(self, images: Tensor) -> Tensor:
        """The inverse of :meth:`decode`, for images [image, 3, y, x] in 0..1."""
        return 4 * (images - 0.5)


@dataclass(frozen=True, eq=False)
class FixedMagnitudes:
    """Images whose spectra have the magnitudes of photographs; the parameters are phases (MaCo, Fel et al. 2023).

    Attributes:
        pixels: from color planes to images, without a fixed contrast.
        magnitude: mean magnitudes of photographs, see :func:`mean_magnitudes`, [3, y, x // 2 + 1].
    """

    pixels: ImageParameterization
    magnitude: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """Phases of one image."""
        return tuple(self.magnitude.shape)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the images, pixels."""
        return self.pixels.size

    def decode(self, parameters: Tensor) -> Tensor:
        """Phases [image, *shape] in radians as RGB images [image, 3, y, x] in 0..1."""
        spectra = torch.polar(self.magnitude.to(parameters).expand_as(parameters), parameters)
        return self.pixels.decode(torch.fft.irfft2(spectra, s=self.size, norm="ortho"))

    def encode(self, images: Tensor) -> Tensor:
        """The phases of images [image, 3, y, x] in 0..1; their own magnitudes are lost."""
        phases: Tensor = torch.fft.rfft2(self.pixels.encode(images), norm="ortho").angle()
        return phases


def mean_magnitudes(images: Tensor, pixels: ImageParameterization) -> Tensor:
    """Mean magnitudes of the spectra of photographs.

    Args:
        images: RGB in 0..1, [image, 3, y, x].
        pixels: from color planes to images, with a :class:`PixelBasis`, without a fixed contrast.

    Returns:
        [3, y, x // 2 + 1]
    """
    magnitude: Tensor = torch.fft.rfft2(pixels.encode(images), norm="ortho").abs().mean(0)
    return magnitude


def image_parameterization(
    kind: Literal["fourier", "pixel"],
    size: tuple[int, int],
    *,
    decay_power: float = 1.0,
    chroma_decay: float = 0.0,
    decorrelate: bool = True,
    chroma: float = 1.0,
    contrast: float | None = None,
) -> ImageParameterization:
    """The parameterization of images of one size.

    Args:
        kind: ``fourier`` or ``pixel``.
        size: (height, width), pixels.
        decay_power: see :class:`FourierBasis`; pixels have none.
        chroma_decay: likewise; red, green and blue have none either.
        decorrelate: see :class:`ImageParameterization`.
        chroma: likewise.
        contrast: likewise.
    """
    spectrum = FourierBasis(*size, decay_power, chroma_decay if decorrelate else 0.0)
    basis: Basis = PixelBasis(*size) if kind == "pixel" else spectrum
    return ImageParameterization(basis, decorrelate, chroma, contrast)


def color_correlation(chroma: float = 1.0) -> Tensor:
    """The matrix that turns values on decorrelated color axes into correlated RGB values, float32 [3, 3].

    In photographs red, green and blue rise and fall together. A gradient step on RGB mixes lightness with hue; on the
    principal axes of natural color every axis has its own step, and random colors are natural ones. A column is an
    axis: lightness, blue to yellow, magenta to green. A unit step along lightness has unit length.

    Args:
        chroma: strength of the two color axes against lightness; 1 is that of photographs.
    """
    lightness, *colors = (sqrt(variance / _VARIANCES[0]) for variance in _VARIANCES)
    return torch.tensor(_AXES) * torch.tensor([lightness, *(chroma * strength for strength in colors)])


def sigmoid_with_contrast(values: Tensor, contrast: float | None) -> Tensor:
    """sigmoid(contrast · values / their root mean square), for each image on its own.

    Args:
        values: [image, 3, y, x], unbounded.
        contrast: root mean square of an image's values before the sigmoid; None leaves them as they are.
    """
    images: Tensor = _SigmoidWithContrast.apply(values, contrast)
    return images


def root_mean_square(values: Tensor) -> Tensor:
    """Of each image [image, 3, y, x], as [image, 1, 1, 1]; never 0."""
    length = torch.linalg.vector_norm(values, dim=(1, 2, 3), keepdim=True)
    size: Tensor = (length / values[0].numel() ** 0.5).clamp(min=1e-6)
    return size


class _SigmoidWithContrast(torch.autograd.Function):
    """The same as by automatic differentiation, in a third of the passes over memory."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, contrast: float | None) -> Tensor:
        size = values.new_ones(()) if contrast is None else root_mean_square(values)
        # torch's own sigmoid rounds otherwise at the end of its memory: a pixel would depend on its place in the batch
        images = (values * (-(contrast or 1.0) / size)).exp_().add_(1).reciprocal_()
        ctx.contrast = contrast
        ctx.save_for_backward(values, images, size)
        return images

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        values, images, size = ctx.saved_tensors
        inner = torch.ops.aten.sigmoid_backward(gradient, images)
        if ctx.contrast is None:
            return inner, None
        # the component that would only change the contrast is projected out
        along = (inner.flatten(1)[:, None] @ values.flatten(1)[:, :, None])[..., None] / values[0].numel()
        return inner.addcmul_(values, along / -size.square()).mul_(ctx.contrast / size), None
