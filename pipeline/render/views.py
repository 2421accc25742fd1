"""Views: an icon shifted, zoomed and turned a little, differently at every step.

What survives every view is no accident of the pixel grid (transformation robustness, Olah et al. 2017). Each icon has
its own view; the whole batch is resampled at once.
"""

from dataclasses import dataclass
from math import pi
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import grid_sample

DRAWS = 4  # random numbers in one view: shift in x and y, zoom, turn


@dataclass(frozen=True)
class Views:
    """How far views may stray from the plain picture.

    Attributes:
        jitter: largest shift, as a share of the picture's side.
        scale: smallest and largest zoom; above 1 the picture is seen larger.
        rotation: largest turn to either side, degrees.
    """

    jitter: float
    scale: tuple[float, float]
    rotation: float

    def matrices(self, draws: Tensor) -> Tensor:
        """Where views look, as matrices [..., 2, 3] from a view's coordinates to the picture's, both in -1..1.

        Args:
            draws: uniform numbers in 0..1, [..., 4].
        """
        shift = (2 * draws[..., :2] - 1) * 2 * self.jitter
        low, high = torch.tensor(self.scale).log().tolist()
        zoom = torch.exp(low + (high - low) * draws[..., 2])
        angle = (2 * draws[..., 3] - 1) * self.rotation * pi / 180
        cos, sin = torch.cos(angle) / zoom, torch.sin(angle) / zoom
        top = torch.stack([cos, -sin, shift[..., 0]], dim=-1)
        bottom = torch.stack([sin, cos, shift[..., 1]], dim=-1)
        return torch.stack([top, bottom], dim=-2)


def aimed(matrices: Tensor, target: tuple[float, float]) -> Tensor:
    """The same views, moved so that the picture's centre appears at ``target``.

    Args:
        matrices: [..., 2, 3].
        target: (x, y) in a view's coordinates, -1..1.
    """
    aim = matrices.new_tensor(target)
    linear, shift = matrices[..., :2], matrices[..., 2:]
    return torch.cat([linear, shift - linear @ aim[:, None]], dim=-1)


def look(pictures: Tensor, matrices: Tensor, size: int) -> Tensor:
    """Resample each picture by its own matrix.

    Beyond its edges a picture goes on as its mirror image: no frame that a network could take for an object.

    The gradient of views as large as their pictures is resampled by the inverse matrix, as if it were a picture. The
    exact one scatters each of a view's pixels over four of the picture's, which takes longer, and on a GPU adds up in
    another order each time. The two differ where the mirror images show: those get no gradient here.

    Args:
        pictures: [icon, 3, y, x].
        matrices: [icon, 2, 3], see :meth:`Views.matrices`.
        size: side of the views, pixels.

    Returns:
        Views [icon, 3, size, size].
    """
    if pictures.shape[-1] != size:
        return _resampled(pictures, matrices, size, "reflection")
    views: Tensor = _Look.apply(pictures, matrices)
    return views


class _Look(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pictures: Tensor, matrices: Tensor) -> Tensor:
        ctx.save_for_backward(matrices)
        return _resampled(pictures, matrices, pictures.shape[-1], "reflection")

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (matrices,) = ctx.saved_tensors
        linear = torch.linalg.inv(matrices[..., :2])
        back = torch.cat([linear, -linear @ matrices[..., 2:]], dim=-1)
        spread = linear.det().abs()  # a pixel of the picture is seen by so many of the view's
        return _resampled(gradient, back, gradient.shape[-1], "zeros") * spread[:, None, None, None], None


def _resampled(pictures: Tensor, matrices: Tensor, size: int, beyond: str) -> Tensor:
    return grid_sample(pictures, _places(matrices, size), mode="bilinear", padding_mode=beyond, align_corners=False)


def _places(matrices: Tensor, size: int) -> Tensor:
    """Where in their pictures the pixels of views lie, (x, y) in -1..1, [icon, size, size, 2]."""
    middles = (2 * torch.arange(size, device=matrices.device) + 1) / size - 1
    # x and y as one complex number: added in one go, in a third of the time
    per_x, per_y, shift = torch.view_as_complex(matrices.mT.contiguous()).unbind(1)
    along_x, along_y = per_x[:, None] * middles, per_y[:, None] * middles + shift[:, None]
    return torch.view_as_real(along_x[:, None] + along_y[:, :, None])
