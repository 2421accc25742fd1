"""What is learned when a picture is drawn: parameters that start from noise and can be shown as an RGB picture."""

from typing import Protocol

import torch
from torch import Tensor

from pipeline.config.render import RenderSettings
from pipeline.render.colour import mixing
from pipeline.render.contrast import root_mean_square, squashed
from pipeline.render.fourier import Fourier
from pipeline.render.pixel import Pixel

DARKEST = 1 / 512  # a stored picture has 256 levels; black and white are taken for half a level less


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

    def parameters(self, planes: Tensor) -> Tensor:
        """Parameters [icon, *shape] that give these planes [icon, 3, y, x]."""


class Canvas:
    """Parameters as RGB pictures in 0..1.

    Attributes:
        parameterisation: from parameters to planes.
        decorrelate: the planes are natural colour axes rather than red, green and blue.
        chroma: strength of colour against lightness on those axes.
        contrast: root mean square of each picture's values before the sigmoid; None leaves it free. A picture of given
            contrast cannot please the network by fading or by glaring, and uses its whole canvas as photographs do.
    """

    def __init__(
        self, parameterisation: Parameterisation, decorrelate: bool, chroma: float = 1.0, contrast: float | None = None
    ) -> None:
        self.parameterisation = parameterisation
        self.contrast = contrast
        self._mixing = mixing(chroma) if decorrelate else torch.eye(3)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the parameters of one picture."""
        return self.parameterisation.shape

    def picture(self, parameters: Tensor) -> Tensor:
        """Parameters [icon, *shape] as RGB pictures [icon, 3, y, x] in 0..1."""
        planes = self.parameterisation.planes(parameters)
        values = (self._mixing.to(planes) @ planes.flatten(2)).view_as(planes)
        return squashed(values, self.contrast)

    def parameters(self, pictures: Tensor) -> Tensor:
        """The parameters that give these pictures.

        Args:
            pictures: RGB in 0..1, [icon, 3, y, x].

        Returns:
            [icon, *shape]. With a given contrast, the pictures come back with that contrast, and the parameters are as
            long as those of noise of unit variance, so that a learning rate means the same to them.
        """
        values = torch.logit(pictures.clamp(DARKEST, 1 - DARKEST))
        if self.contrast:
            values = values * (self._mixing.square().sum() / 3).sqrt() / root_mean_square(values)
        planes = torch.linalg.inv(self._mixing).to(values) @ values.flatten(2)
        return self.parameterisation.parameters(planes.view_as(values))


def canvas(settings: RenderSettings) -> Canvas:
    """The canvas that the settings ask for."""
    kind: Parameterisation
    kind = Pixel(settings.size) if settings.parameterisation == "pixel" else Fourier(settings.size, settings.decay)
    return Canvas(kind, settings.decorrelate, settings.chroma, settings.contrast)
