"""Space-to-depth for a network's first convolution: the same numbers, in half the time.

Networks begin with a strided convolution over three channels. Its gradient goes to three channels only, far fewer than
a processor handles at once. With each stride × stride block of pixels folded into channels first, the same convolution
becomes one without a stride, over more channels and with a smaller kernel.
"""

from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from pipeline.core.layer_names import layer_name

RGB = 3


class SpaceToDepthConv2d(nn.Conv2d):
    """A strided convolution, computed without a stride; its weights and attributes are those of the original."""

    def __init__(self, original: nn.Conv2d) -> None:
        """Take over a convolution for which :func:`is_foldable` holds."""
        kernel, stride = original.kernel_size, original.stride
        super().__init__(RGB, original.out_channels, (kernel[0], kernel[1]), (stride[0], stride[1]))
        self.padding = original.padding
        self.weight, self.bias = original.weight, original.bias
        self.block = original.stride[0]
        self.border = (int(original.padding[1]), int(original.padding[0]))
        self.folded_kernel = (-(-original.kernel_size[0] // self.block), -(-original.kernel_size[1] // self.block))
        padded = pad(original.weight.detach(), self._missing(kernel[0], kernel[1], *self.folded_kernel))
        self.dense = nn.Conv2d(
            RGB * self.block**2, original.out_channels, self.folded_kernel, bias=original.bias is not None
        )
        self.dense.to(original.weight).requires_grad_(original.weight.requires_grad)
        with torch.no_grad():
            self.dense.weight.copy_(self._fold(padded))
            if self.dense.bias is not None and original.bias is not None:
                self.dense.bias.copy_(original.bias)

    def forward(self, images: Tensor) -> Tensor:
        """The convolution of images [image, 3, y, x]."""
        across, down = self.border
        height, width = images.shape[2] + 2 * down, images.shape[3] + 2 * across
        rows = (height - self.kernel_size[0]) // self.block + self.folded_kernel[0]
        columns = (width - self.kernel_size[1]) // self.block + self.folded_kernel[1]
        right, bottom, *_ = self._missing(height, width, rows, columns)[1::2]
        # what follows only moves numbers: rounding them first, where they will be rounded, halves their bytes
        planes, frame = images.to(self.dense.weight.dtype), (across, across + right, down, down + bottom)
        if any(frame):
            planes = pad(planes, frame)
        output: Tensor = self.dense(self._fold(planes).contiguous(memory_format=torch.channels_last))
        return output

    def _fold(self, planes: Tensor) -> Tensor:
        """Blocks of pixels as channels, [..., 3, y, x] to [..., block · block · 3, y / block, x / block].

        Row and column in the block come before the plane, unlike in torch's own ``pixel_unshuffle``: whole planes are
        then moved at once, in half the time.
        """
        count, _, height, width = planes.shape
        rows, columns = height // self.block, width // self.block
        blocks = planes.reshape(count, RGB, rows, self.block, columns, self.block)
        return blocks.permute(0, 3, 5, 1, 2, 4).reshape(count, -1, rows, columns)

    def _missing(self, height: int, width: int, rows: int, columns: int) -> tuple[int, int, int, int]:
        """Padding (negative: cropping) to the right and below for so many blocks, as :func:`pad` takes it."""
        return (0, columns * self.block - width, 0, rows * self.block - height)


def is_foldable(module: nn.Module) -> bool:
    """Whether a module is a plain strided convolution over three channels.

    A subclass may compute its weights in another way, and so may a hook.
    """
    return (
        type(module) is nn.Conv2d
        and not (module._forward_pre_hooks or module._forward_hooks)  # noqa: SLF001  # torch has no public name
        and module.in_channels == RGB
        and module.groups == 1
        and module.stride[0] == module.stride[1] > 1
        and module.dilation == (1, 1)
        and module.padding_mode == "zeros"
        and not isinstance(module.padding, str)
    )


def fold_first_convolutions(network: nn.Module, keep: Collection[str] = ()) -> bool:
    """Replace the strided convolutions that see the image by :class:`SpaceToDepthConv2d`, in place.

    Args:
        network: to be changed.
        keep: names of layers whose modules stay as they are, since their outputs are recorded.

    Returns:
        Whether there was any.
    """
    found = {
        name: module
        for name, module in network.named_modules()
        if layer_name(name) not in keep and isinstance(module, nn.Conv2d) and is_foldable(module)
    }
    for name, module in found.items():
        network.set_submodule(name, SpaceToDepthConv2d(module))
    return bool(found)
