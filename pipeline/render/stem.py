"""A network's first convolution, folded: the same numbers, in half the time.

Networks begin with a convolution of three planes that strides. Its gradient goes to three channels only, far fewer than
a processor handles at once. Fold each stride × stride block of pixels into channels first, and the same convolution
becomes one that does not stride, over more channels and with a smaller kernel.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

PLANES = 3


class Folded(nn.Conv2d):
    """A convolution with stride, worked out without one; in all else, its weights too, the one it was made of."""

    def __init__(self, stem: nn.Conv2d) -> None:
        """Take over a convolution for which :func:`foldable` holds."""
        reach, stride = stem.kernel_size, stem.stride
        super().__init__(PLANES, stem.out_channels, (reach[0], reach[1]), (stride[0], stride[1]))
        self.padding = stem.padding
        self.weight, self.bias = stem.weight, stem.bias
        self.step = stem.stride[0]
        self.border = (int(stem.padding[1]), int(stem.padding[0]))
        self.reach = (-(-stem.kernel_size[0] // self.step), -(-stem.kernel_size[1] // self.step))
        kernel = pad(stem.weight.detach(), self._more(reach[0], reach[1], *self.reach))
        self.plain = nn.Conv2d(PLANES * self.step**2, stem.out_channels, self.reach, bias=stem.bias is not None)
        self.plain.to(stem.weight).requires_grad_(stem.weight.requires_grad)
        with torch.no_grad():
            self.plain.weight.copy_(self._folded(kernel))
            if self.plain.bias is not None and stem.bias is not None:
                self.plain.bias.copy_(stem.bias)

    def forward(self, pictures: Tensor) -> Tensor:
        """What the convolution makes of pictures [icon, 3, y, x]."""
        across, down = self.border
        height, width = pictures.shape[2] + 2 * down, pictures.shape[3] + 2 * across
        rows = (height - self.kernel_size[0]) // self.step + self.reach[0]
        columns = (width - self.kernel_size[1]) // self.step + self.reach[1]
        right, bottom, *_ = self._more(height, width, rows, columns)[1::2]
        # what follows only moves numbers: they are rounded first where they will be, and weigh half
        planes, frame = pictures.to(self.plain.weight.dtype), (across, across + right, down, down + bottom)
        if any(frame):
            planes = pad(planes, frame)
        made: Tensor = self.plain(self._folded(planes).contiguous(memory_format=torch.channels_last))
        return made

    def _folded(self, planes: Tensor) -> Tensor:
        """Blocks of pixels as channels, [..., 3, y, x] to [..., step · step · 3, y / step, x / step].

        Row and column in the block come before the plane, unlike in torch's own ``pixel_unshuffle``: whole planes are
        then moved at once, in half the time.
        """
        count, _, height, width = planes.shape
        rows, columns = height // self.step, width // self.step
        blocks = planes.reshape(count, PLANES, rows, self.step, columns, self.step)
        return blocks.permute(0, 3, 5, 1, 2, 4).reshape(count, -1, rows, columns)

    def _more(self, height: int, width: int, rows: int, columns: int) -> tuple[int, int, int, int]:
        """What is missing, or too much, to the right and below for so many blocks, as :func:`pad` wants it."""
        return (0, columns * self.step - width, 0, rows * self.step - height)


def foldable(module: nn.Module) -> bool:
    """Whether a module is a convolution of three planes that strides, and nothing else.

    A class made from torch's may work out its weights in a way of its own, and so may a hook.
    """
    return (
        type(module) is nn.Conv2d
        and not (module._forward_pre_hooks or module._forward_hooks)  # noqa: SLF001  # torch has no public name
        and module.in_channels == PLANES
        and module.groups == 1
        and module.stride[0] == module.stride[1] > 1
        and module.dilation == (1, 1)
        and module.padding_mode == "zeros"
        and not isinstance(module.padding, str)
    )


def fold_stem(network: nn.Module, layer: str) -> bool:
    """Fold the convolutions of a network that see the pictures, in place; ``layer`` itself stays as it is.

    Returns:
        Whether there was any.
    """
    stems = {
        name: module
        for name, module in network.named_modules()
        if name != layer and isinstance(module, nn.Conv2d) and foldable(module)
    }
    for name, module in stems.items():
        network.set_submodule(name, Folded(module))
    return bool(stems)
