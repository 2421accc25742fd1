"""A network's first convolution, folded: the same numbers, in half the time.

Networks begin with a convolution of three planes that strides. Its gradient goes to three channels only, far fewer than
a processor handles at once. Fold each stride × stride block of pixels into channels first, and the same convolution
becomes one that does not stride, over more channels and with a smaller kernel.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, pixel_unshuffle

PLANES = 3


class Folded(nn.Module):
    """A convolution with stride, worked out without one."""

    def __init__(self, stem: nn.Conv2d) -> None:
        """Take over a convolution for which :func:`foldable` holds."""
        super().__init__()
        self.stride = stem.stride[0]
        self.border = (stem.padding[1], stem.padding[0])
        self.kernel = (-(-stem.kernel_size[0] // self.stride), -(-stem.kernel_size[1] // self.stride))
        self.reach = (stem.kernel_size[0], stem.kernel_size[1])
        weight = pad(stem.weight.detach(), self._more(*self.reach, *self.kernel))
        channels = PLANES * self.stride**2
        self.convolution = nn.Conv2d(channels, stem.out_channels, self.kernel, bias=stem.bias is not None)
        self.convolution.to(stem.weight)
        with torch.no_grad():
            self.convolution.weight.copy_(pixel_unshuffle(weight, self.stride))
            if self.convolution.bias is not None and stem.bias is not None:
                self.convolution.bias.copy_(stem.bias)
        self.convolution.requires_grad_(stem.weight.requires_grad)

    def forward(self, pictures: Tensor) -> Tensor:
        """What the convolution makes of pictures [icon, 3, y, x]."""
        across, down = int(self.border[0]), int(self.border[1])
        height, width = pictures.shape[2] + 2 * down, pictures.shape[3] + 2 * across
        rows = (height - self.reach[0]) // self.stride + self.kernel[0]
        columns = (width - self.reach[1]) // self.stride + self.kernel[1]
        right, bottom, *_ = self._more(height, width, rows, columns)[1::2]
        framed = pad(pictures, (across, across + right, down, down + bottom))
        folded = pixel_unshuffle(framed, self.stride).contiguous(memory_format=torch.channels_last)
        made: Tensor = self.convolution(folded)
        return made

    def _more(self, height: int, width: int, rows: int, columns: int) -> tuple[int, int, int, int]:
        """What is missing, or too much, to the right and below for so many blocks, as :func:`pad` wants it."""
        return (0, columns * self.stride - width, 0, rows * self.stride - height)


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


def fold_stem(network: nn.Module, layer: str) -> None:
    """Fold the convolutions of a network that see the pictures, in place; ``layer`` itself stays as it is."""
    for name, module in list(network.named_modules()):
        if name != layer and isinstance(module, nn.Conv2d) and foldable(module):
            network.set_submodule(name, Folded(module))
