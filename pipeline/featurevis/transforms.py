"""Transformation robustness: at every step each image is shifted, scaled and rotated a little, at random.

What keeps its activation under all of these is no artifact of the pixel grid (Olah et al. 2017). Each image of a batch
has its own transform; the whole batch is resampled at once.
"""

from dataclasses import dataclass, replace
from math import pi
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import grid_sample


class Transform(Protocol):
    """Random affine maps, made from uniform random numbers."""

    @property
    def n_uniforms(self) -> int:
        """How many uniform numbers one map takes."""

    def matrices(self, uniforms: Tensor, size: tuple[int, int]) -> Tensor:
        """Maps [..., 2, 3] from coordinates of the transformed image to those of the original, both in -1..1.

        Args:
            uniforms: in 0..1, [..., n_uniforms].
            size: (height, width) of the original, pixels.
        """


@dataclass(frozen=True)
class RandomAffine:
    """A random shift, scale and rotation.

    Attributes:
        jitter: largest shift, as a share of the image's sides.
        scale: smallest and largest scale; above 1 the image appears larger.
        rotation: largest angle to either side, degrees.
        center: (x, y) in -1..1 where the image's center appears; see :func:`centered_on`.
    """

    jitter: float
    scale: tuple[float, float]
    rotation: float
    center: tuple[float, float] = (0.0, 0.0)

    @property
    def n_uniforms(self) -> int:
        """Shift in x and y, scale, angle."""
        return 4

    def matrices(self, uniforms: Tensor, size: tuple[int, int]) -> Tensor:
        """See :meth:`Transform.matrices`."""
        shift = (2 * uniforms[..., :2] - 1) * 2 * self.jitter
        low, high = torch.tensor(self.scale).log().tolist()
        scale = torch.exp(low + (high - low) * uniforms[..., 2])
        angle = (2 * uniforms[..., 3] - 1) * self.rotation * pi / 180
        cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
        # x and y are counted in halves of the width and of the height: a rotation has to convert between the two
        aspect = size[0] / size[1]
        top = torch.stack([cos, -sin * aspect, shift[..., 0]], dim=-1)
        bottom = torch.stack([sin / aspect, cos, shift[..., 1]], dim=-1)
        return centered_on(torch.stack([top, bottom], dim=-2), self.center)


IDENTITY = RandomAffine(jitter=0.0, scale=(1.0, 1.0), rotation=0.0)

# Finished images are measured under these, whatever the settings: figures of different settings are to be compared.
HELD_OUT = RandomAffine(jitter=0.06, scale=(0.9, 1.1), rotation=10.0)
HELD_OUT_SEED = 8128
HELD_OUT_COUNT = 8


def held_out_matrices(size: tuple[int, int], center: tuple[float, float] = (0.0, 0.0)) -> Tensor:
    """The transforms that finished images are measured under, none of which was seen by the optimization.

    Args:
        size: (height, width) of the images, pixels.
        center: see :class:`RandomAffine`.

    Returns:
        [HELD_OUT_COUNT, 2, 3]
    """
    generator = torch.Generator().manual_seed(HELD_OUT_SEED)
    uniforms = torch.rand(HELD_OUT_COUNT, HELD_OUT.n_uniforms, generator=generator)
    return replace(HELD_OUT, center=center).matrices(uniforms, size)


def centered_on(matrices: Tensor, center: tuple[float, float]) -> Tensor:
    """The same transforms, shifted so that the original's center appears at ``center``.

    Args:
        matrices: [..., 2, 3].
        center: (x, y) in coordinates of the transformed image, -1..1.
    """
    target = matrices.new_tensor(center)
    linear, shift = matrices[..., :2], matrices[..., 2:]
    return torch.cat([linear, shift - linear @ target[:, None]], dim=-1)


def resample(images: Tensor, matrices: Tensor, size: tuple[int, int]) -> Tensor:
    """Resample each image by its own matrix, bilinearly.

    Beyond its edges an image continues as its mirror image, so that there is no border that a network could take for an
    object.

    Where the size stays the same, the gradient is resampled by the inverse matrix, as if it were an image. The exact
    one scatters each pixel over four others, which takes longer, and on a GPU adds up in another order each time. The
    two differ where the mirror images show: those get no gradient here.

    Args:
        images: [image, 3, y, x].
        matrices: [image, 2, 3], see :meth:`Transform.matrices`.
        size: (height, width) of the result, pixels.

    Returns:
        [image, 3, height, width].
    """
    if images.shape[-2:] != size:
        return _resampled(images, matrices, size, "reflection")
    transformed: Tensor = _Resample.apply(images, matrices)
    return transformed


class _Resample(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, matrices: Tensor) -> Tensor:
        ctx.save_for_backward(matrices)
        return _resampled(images, matrices, (images.shape[-2], images.shape[-1]), "reflection")

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (matrices,) = ctx.saved_tensors
        linear = torch.linalg.inv(matrices[..., :2])
        back = torch.cat([linear, -linear @ matrices[..., 2:]], dim=-1)
        pixels = linear.det().abs()  # of the transformed image, for each pixel of the original
        size = (gradient.shape[-2], gradient.shape[-1])
        return _resampled(gradient, back, size, "zeros") * pixels[:, None, None, None], None


def _resampled(images: Tensor, matrices: Tensor, size: tuple[int, int], padding: str) -> Tensor:
    grid = _sampling_grid(matrices, size)
    return grid_sample(images, grid, mode="bilinear", padding_mode=padding, align_corners=False)


def _sampling_grid(matrices: Tensor, size: tuple[int, int]) -> Tensor:
    """The point (x, y) in -1..1 that each pixel is sampled at, [image, y, x, 2]; a faster ``affine_grid``."""
    rows, columns = ((2 * torch.arange(side, device=matrices.device) + 1) / side - 1 for side in size)
    # x and y as one complex number: added in one go, in a third of the time
    per_x, per_y, shift = torch.view_as_complex(matrices.mT.contiguous()).unbind(1)
    along_x, along_y = per_x[:, None] * columns, per_y[:, None] * rows + shift[:, None]
    return torch.view_as_real(along_x[:, None] + along_y[:, :, None])
