"""Channels of a layer: how active each one is over the layer's samples, and which ones stand out in each cell."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.site_data import pack_array
from pipeline.site.cell_data import planes_per_block

STRONGEST = 8  # channels listed for each cell
NUMBERS_IN_MEMORY = 2**21  # 16 MiB, several times
FILE = "channels"


@dataclass(frozen=True, eq=False)
class ChannelScale:
    """How active every channel of a layer is over all of the layer's samples.

    Attributes:
        mean: [channel] raw activation.
        deviation: [channel] standard deviation, raw activation; 0 for a channel that never changes.
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    def content(self) -> dict[str, Any]:
        """Of the layer's data file."""
        return {"mean": pack_array(self.mean), "deviation": pack_array(self.deviation)}


def strongest_channels(
    activation: NDArray[np.float32], scale: ChannelScale, count: int = STRONGEST, in_memory: int = NUMBERS_IN_MEMORY
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The channels whose mean activation in a cell lies most above the layer's mean, most first; ties by channel.

    The difference is divided by the standard deviation of the layer's samples: otherwise channels with large
    activations everywhere would lead every cell.

    Args:
        activation: [cell, channel] mean activations.
        scale: of the layer.
        count: channels listed for each cell.
        in_memory: numbers in memory at a time.

    Returns:
        The channels [cell, count], -1 where fewer lie above the mean, and their mean activations [cell, count], 0
        where there is none.
    """
    cells, channels = activation.shape
    found = np.full((cells, count), -1)
    value = np.zeros((cells, count), np.float32)
    step = max(1, in_memory // max(1, channels))
    for start in range(0, cells, step):
        block = activation[start : start + step]
        above = standard_deviations(block, scale)
        order = np.argsort(-above, axis=1, kind="stable")[:, :count]
        listed = np.take_along_axis(above, order, axis=1) > 0
        shown = np.where(listed, np.take_along_axis(block, order, axis=1), 0)
        found[start : start + step, : order.shape[1]] = np.where(listed, order, -1)
        value[start : start + step, : order.shape[1]] = shown
    return found, value


def standard_deviations(activation: NDArray[np.float32], scale: ChannelScale) -> NDArray[np.float64]:
    """Activations [cell, channel] less the layer's mean, in its standard deviations; 0 for a constant channel."""
    deviation = scale.deviation.astype(np.float64)
    above = activation.astype(np.float64) - scale.mean
    return np.divide(above, deviation, out=np.zeros_like(above), where=deviation > 0)


def channel_files(
    size: int, activation: NDArray[np.float32], scale: ChannelScale, planes: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and content of a level's data files: the strongest channels of its cells, and every channel's plane.

    Args:
        size: cells per side of the level.
        activation: [cell, channel] mean activations.
        scale: of the layer.
        planes: whether the level has planes of its own.
    """
    channel, value = strongest_channels(activation, scale)
    yield f"{size}/{FILE}", {"channel": pack_array(channel), "value": pack_array(value)}
    step = planes_per_block(len(activation))
    for index, start in enumerate(range(0, activation.shape[1], step) if planes else ()):
        yield f"{size}/activation-{index}", {"activation": pack_array(activation[:, start : start + step].T)}
