"""What is learned when a picture is drawn: parameters that start from noise and can be shown as an RGB picture."""

from typing import Protocol

import torch
from torch import Tensor

from pipeline.render.colour import to_rgb
from pipeline.render.config import RenderSettings
from pipeline.render.fourier import Fourier
from pipeline.render.pixel import Pixel


class Parameterisation(Protocol):
    """A linear way to write down the three planes of a picture.

    Parameters of unit variance give planes of unit variance, so that a learning rate and an initial deviation mean the
    same whatever the parameterisation and the size.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the parameters of one picture."""

    def planes(self, parameters: Tensor) -> Tensor:
        """Parameters [icon, *shape] as planes [icon, 3, y, x] without bounds."""


class Canvas:
    """Parameters as RGB pictures in 0..1.

    Attributes:
        parameterisation: from parameters to planes.
        decorrelate: the planes are natural colour axes rather than red, green and blue.
        chroma: strength of colour against lightness on those axes.
    """

    def __init__(self, parameterisation: Parameterisation, decorrelate: bool, chroma: float = 1.0) -> None:
        self.parameterisation = parameterisation
        self.decorrelate = decorrelate
        self.chroma = chroma

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the parameters of one picture."""
        return self.parameterisation.shape

    def picture(self, parameters: Tensor) -> Tensor:
        """Parameters [icon, *shape] as RGB pictures [icon, 3, y, x] in 0..1."""
        planes = self.parameterisation.planes(parameters)
        return torch.sigmoid(to_rgb(planes, self.chroma) if self.decorrelate else planes)


def canvas(settings: RenderSettings) -> Canvas:
    """The canvas that the settings ask for."""
    kind: Parameterisation
    kind = Pixel(settings.size) if settings.parameterisation == "pixel" else Fourier(settings.size, settings.decay)
    return Canvas(kind, settings.decorrelate, settings.chroma)
