"""What the stage writes: the arrays of each grid level, numbers of each level, and a histogram of the cells' counts."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config.grid import GridSettings
from pipeline.core.progress import log_line
from pipeline.grid.cell_assignment import SampleAssignment
from pipeline.grid.cosines import spread
from pipeline.grid.exemplars import exemplars
from pipeline.grid.two_pass import TwoPass


def mean_arrays(passes: TwoPass, cells: SampleAssignment) -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
    """Cells a side, and the mean activations and attributions, of each level from coarse to fine.

    Args:
        passes: both have run.
        cells: of the samples.
    """
    activation, attribution = passes.means("means"), passes.attribution()
    for level, own in zip(cells.levels, cells.level_slices, strict=True):
        yield level.size, {"activation": activation[own], "attribution": attribution[own]}


def other_arrays(
    passes: TwoPass, cells: SampleAssignment, image: NDArray[np.int64], settings: GridSettings
) -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
    """Cells a side, and all other arrays by name, of each level from coarse to fine.

    Args:
        passes: both have run.
        cells: of the samples.
        image: [sample] the image it comes from.
        settings: of the stage.
    """
    sample = np.flatnonzero(cells.label < cells.outside)
    finest, reliability = cells.label[sample], passes.means("reliability")
    for index, (level, count, own) in enumerate(zip(cells.levels, cells.counts, cells.level_slices, strict=True)):
        cosines, cell = passes.cosines(index)[sample], level.of_point[finest]
        yield (
            level.size,
            {
                "cell": level.cell,
                "count": count,
                "drawn": count >= settings.min_count,
                "spread": spread(cosines, cell, count),
                "reliability": reliability[own],
                "exemplar": exemplars(cosines, cell, sample, image[sample], len(count), settings.exemplars),
            },
        )


def level_metrics(arrays: Mapping[str, NDArray[Any]]) -> dict[str, float | int | None]:
    """Numbers of one level; the medians are over drawn cells, None where there is none to measure."""
    drawn = arrays["drawn"]
    return {
        "occupied": len(drawn),
        "drawn": int(drawn.sum()),
        "spread": _median(arrays["spread"][drawn]),
        "reliability": _median(arrays["reliability"][drawn]),
    }


def print_metrics(what: str, metrics: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the numbers of each level."""
    for size, numbers in metrics.items():
        medians = ", ".join(f"{name} {_format(numbers[name])}" for name in ("spread", "reliability"))
        log_line(
            f"{what} level {size}: {numbers['occupied']} cells occupied, {numbers['drawn']} drawn; median {medians}"
        )


def count_histogram(cells: SampleAssignment) -> dict[str, list[Any]]:
    """How many cells of each level hold 1, 2-3, 4-7, ... samples; ``count`` is the lower end of the range."""
    table: dict[str, list[Any]] = {"level": [], "count": [], "cells": []}
    for level, count in zip(cells.levels, cells.counts, strict=True):
        powers, occurrences = np.unique(np.log2(count).astype(np.int64), return_counts=True)
        table["level"] += [level.size] * len(powers)
        table["count"] += (2**powers).tolist()
        table["cells"] += occurrences.tolist()
    return table


def _median(values: NDArray[np.floating]) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else None


def _format(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
