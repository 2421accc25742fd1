"""What is told of a finished grid: numbers of each level, a histogram, and lines for the person who runs the stage."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.progress import say
from pipeline.grid.placed import Placed


def measure(columns: Mapping[str, NDArray[Any]]) -> dict[str, float | int | None]:
    """Numbers of one level; the medians are over drawn cells, None where there is none to measure."""
    drawn = columns["drawn"]
    return {
        "occupied": len(drawn),
        "drawn": int(drawn.sum()),
        "spread": _median(columns["spread"][drawn]),
        "reliability": _median(columns["reliability"][drawn]),
    }


def report(what: str, metrics: Mapping[str, Mapping[str, Any]]) -> None:
    """Say the numbers of each level."""
    for size, numbers in metrics.items():
        medians = ", ".join(f"{name} {_shown(numbers[name])}" for name in ("spread", "reliability"))
        say(f"{what} level {size}: {numbers['occupied']} cells occupied, {numbers['drawn']} drawn; median {medians}")


def count_histogram(placed: Placed) -> dict[str, list[Any]]:
    """How many cells of each level hold 1, 2-3, 4-7, ... samples; ``count`` is the lower end of the range."""
    table: dict[str, list[Any]] = {"level": [], "count": [], "cells": []}
    for level, count in zip(placed.levels, placed.counts, strict=True):
        powers, cells = np.unique(np.log2(count).astype(np.int64), return_counts=True)
        table["level"] += [level.size] * len(powers)
        table["count"] += (2**powers).tolist()
        table["cells"] += cells.tolist()
    return table


def _median(values: NDArray[np.floating]) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else None


def _shown(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
