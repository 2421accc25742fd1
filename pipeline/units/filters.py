"""Filters of convolutions as pictures: in color where they look at the colors of the image, else as gray strips.

Those of the first layer can be read: they are compared with the image itself. Those of higher layers are compared with
other layers' channels, whose meaning they do not tell.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.model.layers import named_parts, split_call

COLORS = (1, 3)  # input channels of a first layer: gray or RGB
CELL = 40  # smallest side of a filter on the sheet, pixels
GAP = 4  # between two filters, pixels
COLUMNS = 16
LONGEST = 32  # filters on a sheet of strips
STRIP = 24  # input channels of a filter that are shown, where these are no colors
WHITE = 255

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class FilterSheet:
    """Filters of one convolution.

    Attributes:
        layer: dotted module path.
        filters: how many there are.
        size: (height, width) of a filter.
        channels: input channels of a filter.
        colors: they are the colors of the image.
        image: uint8 [y, x, 3]; each filter scaled on its own, with middle gray for 0.
    """

    layer: str
    filters: int
    size: tuple[int, int]
    channels: int
    colors: bool
    image: Pixels


def filter_sheets(module: nn.Module, layer: str) -> list[FilterSheet]:
    """The filters of the network's first convolution, and those of the layer itself where it is another one.

    Args:
        module: the network.
        layer: dotted module path; it need not be a convolution.
    """
    convolutions = {name: one for name, one in named_parts(module).items() if isinstance(one, nn.Conv2d)}
    first = next((name for name, one in convolutions.items() if one.in_channels in COLORS), None)
    own = split_call(layer)[0]
    names = dict.fromkeys(name for name in (first, own) if name in convolutions)
    return [_sheet(name, convolutions[name].weight, colors=name == first) for name in names if name]


def _sheet(layer: str, weight: Tensor, *, colors: bool) -> FilterSheet:
    values = weight.detach().float().cpu().numpy()
    filters, channels, height, width = values.shape
    pictures = [_color(one) if colors else _strip(one) for one in values[: None if colors else LONGEST]]
    image = _grid(pictures, COLUMNS if colors else 1)
    return FilterSheet(layer, filters, (height, width), channels, colors, image)


def _color(values: NDArray[np.float32]) -> Pixels:
    """A filter [channel, y, x] of one or three channels, enlarged, [y, x, 3]."""
    scale = max(1, -(-CELL // max(values.shape[1:])))
    pixels = _scaled(values if len(values) > 1 else np.repeat(values, 3, axis=0)).transpose(1, 2, 0)
    return pixels.repeat(scale, axis=0).repeat(scale, axis=1)


def _strip(values: NDArray[np.float32]) -> Pixels:
    """The first channels of a filter [channel, y, x] side by side, enlarged, [y, x, 3]."""
    scale = max(1, -(-CELL // 2 // max(values.shape[1:])))
    shown = _scaled(values[:STRIP])
    enlarged = [one.repeat(scale, axis=0).repeat(scale, axis=1) for one in shown]
    return _grid([np.repeat(one[..., None], 3, axis=2) for one in enlarged], STRIP)


def _scaled(values: NDArray[np.float32]) -> Pixels:
    """0 as middle gray, the largest magnitude as black or white."""
    largest = float(np.abs(values).max()) or 1.0
    return np.asarray(np.round(127.5 + 127.5 * values / largest), np.uint8)


def _grid(pictures: list[Pixels], columns: int) -> Pixels:
    """Pictures of one size in rows, on white."""
    height, width, _ = pictures[0].shape
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), WHITE, np.uint8)
    for number, picture in enumerate(pictures):
        top, left = (number // columns) * (height + GAP), (number % columns) * (width + GAP)
        sheet[top : top + height, left : left + width] = picture
    return sheet
