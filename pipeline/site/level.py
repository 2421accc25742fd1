"""One grid level => what the page reads about its cells."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.site_data import pack_array
from pipeline.site.classes import block_size, top_classes
from pipeline.site.exemplars import places
from pipeline.site.neighbours import Neighbours

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
        alike: the most similar cells of each.
        descent: [cell] what its icon was drawn from, see :class:`pipeline.site.descent.Descent`.
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
    alike: Neighbours
    descent: NDArray[np.uint8]


def cells_content(level: LevelCells, top: int) -> Content:
    """Place, size, quality and ``top`` strongest classes of every cell."""
    classes, values = top_classes(level.attribution, top)
    return {
        "cell": pack_array(level.cell),
        "count": pack_array(level.count),
        "drawn": pack_array(level.drawn),
        "spread": pack_array(level.spread),
        "reliability": pack_array(level.reliability),
        "fidelity": pack_array(level.fidelity),
        "fidelity_centred": pack_array(level.fidelity_centred),
        "top_class": pack_array(classes),
        "top_value": pack_array(values),
    }


def exemplars_content(level: LevelCells, image: NDArray[np.int64], position: NDArray[np.int32], count: int) -> Content:
    """Images and positions of the first ``count`` exemplars of every cell.

    Args:
        level: the cells.
        image: [sample] row of each sample's image.
        position: [sample, 2] (y, x) in the layer's map.
        count: exemplars shown.
    """
    rows, where = places(level.exemplar[:, :count], image, position)
    return {"image": pack_array(rows), "position": pack_array(where)}


def neighbours_content(level: LevelCells) -> Content:
    """The most similar cells of every cell, cosines in hundredths (-127: none), and what its icon was drawn from."""
    hundredths = np.nan_to_num(np.rint(100 * level.alike.cosine), nan=-127).astype(np.int8)
    return {
        "cell": pack_array(level.alike.cell),
        "hundredths": pack_array(hundredths),
        "descent": pack_array(level.descent),
    }


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


def planes(file: str, key: str, level: LevelCells, values: NDArray[Any]) -> Iterator[tuple[str, Content]]:
    """Values [class, cell] cut into files ``<level>/<file>-<block>`` of a few classes each, under ``key``."""
    step = block_size(values.shape[1])
    for index, start in enumerate(range(0, len(values), step)):
        yield f"{level.size}/{file}-{index}", {key: pack_array(values[start : start + step])}
