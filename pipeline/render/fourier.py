"""A picture as its spectrum, scaled like that of natural images.

Photographs have a spectrum that falls with frequency. Learning the spectrum divided by that fall gives every frequency
the same say; learning pixels favours high frequencies, which look like noise (Olah et al. 2017, preconditioning).
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class Fourier:
    """Real and imaginary parts of the spectrum of each colour plane.

    Attributes:
        size: side of the picture, pixels.
        decay: the scale falls as 1 / frequency ** decay.
    """

    size: int
    decay: float

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the parameters of one picture."""
        return (3, self.size, self.size // 2 + 1, 2)

    def planes(self, parameters: Tensor) -> Tensor:
        """The spectra [icon, *shape] as planes [icon, 3, y, x]."""
        spectrum = torch.view_as_complex(parameters * self._scale.to(parameters))
        planes: Tensor = torch.fft.irfft2(spectrum, s=(self.size, self.size), norm="ortho")
        return planes

    def parameters(self, planes: Tensor) -> Tensor:
        """The inverse of :meth:`planes`."""
        spectrum = torch.fft.rfft2(planes, norm="ortho")
        return torch.view_as_real(spectrum) / self._scale.to(planes)

    @cached_property
    def _scale(self) -> Tensor:
        """Scale of each frequency [y, x // 2 + 1, 2]; unit parameters give planes whose mean square is 1."""
        rows = torch.fft.fftfreq(self.size, dtype=torch.float64)[:, None]
        columns = torch.fft.rfftfreq(self.size, dtype=torch.float64)
        # the constant plane has frequency 0; it gets the scale of one wave across the picture
        frequency = torch.sqrt(rows**2 + columns**2).clamp(min=1 / self.size)
        scale = frequency**-self.decay
        # a column between the first and the last stands for its mirror image too, which doubles its waves' height
        power_of_column = torch.full_like(columns, 4.0)
        power_of_column[0] = 1.0
        if self.size % 2 == 0:
            power_of_column[-1] = 1.0
        power = (scale**2 * power_of_column).sum() / self.size**2
        return (scale / power.sqrt())[..., None].repeat(1, 1, 2).float()
