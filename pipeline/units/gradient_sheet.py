"""The sheet of gradients: how fine the gradient of a unit is behind the strides and the pooling of its network.

A stride and a maximum pass the gradient to some positions and not to their neighbors, which an average would not: the
patterns of single pixels that plain gradient ascent ends in come from there (Olah et al. 2017).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.core.layer_names import LOGITS
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.model.network import Network
from pipeline.units.inputs import random_samples
from pipeline.units.sheet_context import SheetContext
from pipeline.units.sheet_engines import worker_threads
from pipeline.units.sheets import Cell, Sheet

IMAGES = 16  # whose gradients a share is the mean over
FINE = 0.25  # cycles a pixel, half the highest frequency that pixels can show
LARGEST = 99.5  # percentile of the magnitudes that is drawn black or white

Pixels = NDArray[np.uint8]
Changed = Callable[[nn.Module], nn.Module | None]  # what takes the place of a module; None leaves it


def gradients_sheet(context: SheetContext) -> Sheet:
    """The gradient of each unit at its strongest patch, in the network as it is and with averages for what skips."""
    inputs = context.inputs
    network = inputs.patches.load_network(inputs.units.device)
    size = (inputs.settings.size, inputs.settings.size)
    columns: list[tuple[str, str, str]] = []
    cells: list[list[Cell | None]] = []
    photographs = [context.photograph(unit, "highest") for unit in context.units]
    others = _random_patches(context)
    drawn: list[list[Pixels]] = []
    with context.progress("gradients", len(VARIANTS) * len(context.units)) as advance:
        for name, text, change in VARIANTS:
            changed = _changed(network, change)
            if changed is None:
                continue
            extractor = FeatureExtractor(changed, [inputs.layer], size, "float32", size_setting="units.size")
            pictures, shares = [], []
            with worker_threads():
                for unit, photograph in zip(context.units, photographs, strict=True):
                    images = np.stack([photograph, *others])
                    found = _gradients(extractor, inputs.layer, inputs.channels[unit], images, inputs.units.device)
                    pictures.append(_picture(found[0]))
                    shares.append(fine_share(found))
                    advance(1)
            if not any(_same(pictures, before) for before in drawn):  # else nothing is replaced before the layer
                drawn.append(pictures)
                columns.append((name, text, ""))
                cells.append([Cell(one, fine=share) for one, share in zip(pictures, shares, strict=True)])
    return Sheet("gradients", columns, context.rows(cells))


def _random_patches(context: SheetContext) -> list[Pixels]:
    """Patches of different images, as large as a picture."""
    inputs = context.inputs
    samples = random_samples(inputs)
    patches = inputs.patches.open(inputs.network)
    chosen = np.unique(np.linspace(0, len(samples) - 1, min(len(samples), IMAGES - 1)).round().astype(int))
    return [patches(int(samples.image[row]), samples.position[row]) for row in chosen]


def fine_share(gradients: Tensor) -> float | None:
    """Share of the power of gradients [image, 3, y, x] above :data:`FINE`, in the mean over images, 0..1.

    Images without any gradient, in which the unit is inactive everywhere, do not count; None if all are.
    """
    power = torch.fft.fft2(gradients.double()).abs().square().sum(1)
    rows, columns = (torch.fft.fftfreq(side, device=power.device) for side in power.shape[1:])
    fine = (rows[:, None].square() + columns.square()).sqrt() > FINE
    whole = power.sum((1, 2))
    shares = ((power * fine).sum((1, 2)) / whole)[whole > 0]
    return float(shares.mean()) if len(shares) else None


def _gradients(extractor: FeatureExtractor, layer: str, channel: int, images: Pixels, device: str) -> Tensor:
    """Of a channel's mean over the map with respect to images, [image, 3, y, x]."""
    found = []
    for image in torch.from_numpy(images):  # one at a time, to bound the memory
        pixels = (image[None].to(device).movedim(-1, 1).float() / 255).requires_grad_(True)
        output = extractor(pixels)[layer].float()
        value = output[:, channel] if layer == LOGITS else output[:, channel].mean((1, 2))
        found += torch.autograd.grad(value.sum(), pixels)
    return torch.cat(found)


def _same(one: Sequence[Pixels], other: Sequence[Pixels]) -> bool:
    return all(np.array_equal(first, second) for first, second in zip(one, other, strict=True))


def _picture(gradient: Tensor) -> Pixels:
    """A gradient [3, y, x] on gray, scaled to nearly its largest magnitude."""
    values = gradient.cpu().numpy().transpose(1, 2, 0)
    scale = float(np.percentile(np.abs(values), LARGEST)) or 1.0
    return np.round(127.5 + 127.5 * np.clip(values / scale, -1, 1)).astype(np.uint8)


def _changed(network: Network, change: Changed | None) -> Network | None:
    """The network with other modules; None where it has none to change."""
    if change is None:
        return network

    def changed() -> nn.Module:
        module = network.copy()
        found = {name: new for name, part in module.named_modules() if name and (new := change(part)) is not None}
        for name, new in found.items():
            module.set_submodule(name, new)
        return module

    if all(change(part) is None for part in network.module.modules()):
        return None
    return replace(network, module=changed(), rebuild=changed)


def averaged_pooling(module: nn.Module) -> nn.Module | None:
    """Average pooling in place of a maximum, of the same size."""
    if type(module) is not nn.MaxPool2d or module.dilation not in (1, (1, 1)) or module.return_indices:
        return None
    return nn.AvgPool2d(module.kernel_size, module.stride, module.padding, module.ceil_mode, count_include_pad=False)


def averaged_stride(module: nn.Module) -> nn.Module | None:
    """A convolution at every position and the average of what a strided one picks from, of the same size.

    Convolutions whose kernels do not overlap, such as patch embeddings, skip nothing and stay; so do those of a class
    of their own or with hooks, which may compute something else.
    """
    if type(module) is not nn.Conv2d or module.stride in ((1, 1), module.kernel_size):
        return None
    if module._forward_pre_hooks or module._forward_hooks or nn.utils.parametrize.is_parametrized(module):  # noqa: SLF001  # torch has no public name
        return None
    dense = nn.Conv2d(
        module.in_channels,
        module.out_channels,
        _pair(module.kernel_size),
        padding=module.padding if isinstance(module.padding, str) else _pair(module.padding),
        dilation=_pair(module.dilation),
        groups=module.groups,
        bias=module.bias is not None,
        padding_mode=module.padding_mode,
    )
    dense.load_state_dict(module.state_dict())
    average = nn.AvgPool2d(_pair(module.stride), _pair(module.stride), ceil_mode=True)
    return nn.Sequential(dense, average).requires_grad_(False).eval().to(module.weight.device)


def _both(module: nn.Module) -> nn.Module | None:
    return averaged_pooling(module) or averaged_stride(module)


def _pair(values: Sequence[int]) -> tuple[int, int]:
    first, second = values
    return first, second


VARIANTS: Sequence[tuple[str, str, Changed | None]] = (
    ("As it is", "The gradient of the run’s network.", None),
    ("Average pooling", "The same network with average pooling in place of each maximum.", averaged_pooling),
    (
        "Averages for strides",
        "Strided convolutions at every position, followed by an average over what the stride picks from.",
        averaged_stride,
    ),
    ("Both", "Both changes.", _both),
)
