"""Figures => what the page and the metrics hold: rounded numbers, None for what could not be measured."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.predict.bootstrap import Interval, interval

Floats = NDArray[np.float64]
Series = Mapping[str, Floats]

DECIMALS = 4
DIGITS = 4
POINTS = 256


def rounded(value: float) -> float | None:
    """To four decimals; None for NaN. Other batch sizes may change a number beyond these."""
    return None if math.isnan(value) else round(value, DECIMALS) + 0.0


def figure(found: Interval) -> dict[str, float | None]:
    """An interval as the page has it."""
    return {"value": rounded(found.value), "low": rounded(found.low), "high": rounded(found.high)}


def figures(series: Series) -> dict[str, dict[str, float | None]]:
    """The intervals of statistics [weighting], by name."""
    return {name: figure(interval(values)) for name, values in series.items()}


def differences(one: Series, two: Series) -> dict[str, Floats]:
    """``one`` minus ``two``, by name and weighting: paired, since both come from the same resamples."""
    return {name: one[name] - two[name] for name in one}


def points(classes: NDArray[np.int64], attribution: Floats, change: Floats) -> list[list[float]]:
    """The first samples as [class, attribution, true change], to four digits."""
    columns = zip(classes[:POINTS].tolist(), attribution[:POINTS].tolist(), change[:POINTS].tolist(), strict=True)
    return [[named, _short(one), _short(two)] for named, one, two in columns]


def metrics(content: Mapping[str, Any]) -> dict[str, Any]:
    """The main figures of a layer, for ``dvc metrics show``."""
    if not content["measured"]:
        return {"measured": False}
    replacement, cells = content["replacement"], content["cells"]
    found = {
        "measured": True,
        "verdict": content["verdict"]["removed"]["grade"],
        "verdict_cells": content["verdict"]["pushed"]["grade"],
        "within": {name: group["within"] for name, group in replacement["measures"].items()},
        "within_shuffled": {name: group["within"] for name, group in replacement["shuffled"].items()},
        "across": {name: group["across"] for name, group in replacement["measures"].items()},
        "samples": replacement["samples"],
        "cells": cells["tested"] if cells else 0,
    }
    return found | {"percentile": cells["percentile"], "percentile_lift": cells["lift"]} if cells else found


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
