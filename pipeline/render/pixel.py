"""A picture as its pixels."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Pixel:
    """One parameter for each pixel and colour plane.

    Attributes:
        size: side of the picture, pixels.
    """

    size: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the parameters of one picture."""
        return (3, self.size, self.size)

    def planes(self, parameters: Tensor) -> Tensor:
        """The parameters themselves, [icon, 3, y, x]."""
        return parameters

    def parameters(self, planes: Tensor) -> Tensor:
        """The inverse of :meth:`planes`."""
        return planes
