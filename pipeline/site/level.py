"""One grid level => what the page reads about its cells."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.pack import packed
from pipeline.site.classes import block_size, top_classes
from pipeline.site.exemplars import places

Content = dict[str, Any]


@dataclass(frozen=True)
class LevelCells:
    """The cells of one grid level, with what is known of their icons.

    Attributes:
        size: cells a side of the whole grid.
        cell: [cell, 2] (row, column).
        count: [cell] samples.
        drawn: [cell] the cell has enough samples for an icon.
        attribution: [cell, class] logit.
        spread, reliability: [cell].
        exemplar: [cell, rank] rows of samples, -1 for none.
        fidelity, fidelity_centred: [cell], NaN where there is no icon.
    """

    size: int
    cell: NDArray[np.int32]
    count: NDArray[np.int64]
    drawn: NDArray[np.bool_]
    attribution: NDArray[np.float32]
    spread: NDArray[np.float32]
    reliability: NDArray[np.float32]
    exemplar: NDArray[np.int64]
    fidelity: NDArray[np.float32]
    fidelity_centred: NDArray[np.float32]


def cells_content(level: LevelCells, top: int) -> Content:
    """Place, size, quality and ``top`` strongest classes of every cell."""
    classes, values = top_classes(level.attribution, top)
    return {
        "cell": packed(level.cell),
        "count": packed(level.count),
        "drawn": packed(level.drawn),
        "spread": packed(level.spread),
        "reliability": packed(level.reliability),
        "fidelity": packed(level.fidelity),
        "fidelity_centred": packed(level.fidelity_centred),
        "top_class": packed(classes),
        "top_value": packed(values),
    }


def exemplars_content(
    level: LevelCells, image: NDArray[np.int64], position: NDArray[np.int32], count: int
) -> tuple[Content, NDArray[np.int64]]:
    """Images and positions of the first ``count`` exemplars of every cell.

    Args:
        level: the cells.
        image: [sample] row of each sample's image.
        position: [sample, 2] (y, x) in the layer's map.
        count: exemplars shown.

    Returns:
        The content, and the rows of the images that it names, each once.
    """
    rows, where = places(level.exemplar[:, :count], image, position)
    return {"image": packed(rows), "position": packed(where)}, np.unique(rows[rows >= 0])


def level_entry(level: LevelCells, width: int, height: int) -> Content:
    """The level as the manifest lists it; ``width`` and ``height`` are those of its picture, pixels."""
    return {
        "size": level.size,
        "width": width,
        "height": height,
        "cells": len(level.cell),
        "drawn": int(level.drawn.sum()),
        "samples": int(level.count.sum()),
    }


def heat_blocks(heat: NDArray[np.int8]) -> list[Content]:
    """Heat planes [class, cell] cut into the contents of files, each of a few classes."""
    step = block_size(heat.shape[1])
    return [{"heat": packed(heat[start : start + step])} for start in range(0, len(heat), step)]
