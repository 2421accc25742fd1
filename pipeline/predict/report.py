"""Numbers of the page and of the metrics: rounded, None for what could not be measured."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.bootstrap import Interval, weighted_interval

Floats = NDArray[np.float64]
Statistics = Mapping[str, Floats]  # name → statistic under each weighting

DECIMALS = 4
SIGNIFICANT_DIGITS = 4
POINTS = 256  # shown in the scatter plot


def rounded(value: float) -> float | None:
    """To four decimals; None for NaN. Another batch size may change a number beyond these."""
    return None if math.isnan(value) else round(value, DECIMALS) + 0.0


def rounded_interval(found: Interval) -> dict[str, float | None]:
    """An interval as the page shows it."""
    return {"value": rounded(found.value), "low": rounded(found.low), "high": rounded(found.high)}


def intervals(statistics: Statistics) -> dict[str, dict[str, float | None]]:
    """The rounded interval of each statistic [weighting], by name."""
    return {name: rounded_interval(weighted_interval(values)) for name, values in statistics.items()}


def differences(one: Statistics, two: Statistics) -> dict[str, Floats]:
    """``one`` minus ``two``, by name: paired differences, since both come from the same resamples."""
    return {name: one[name] - two[name] for name in one}


def scatter_points(classes: NDArray[np.int64], attribution: Floats, drop: Floats) -> list[list[float]]:
    """The first samples as [class, attribution, logit drop], to four significant digits."""
    columns = zip(classes[:POINTS].tolist(), attribution[:POINTS].tolist(), drop[:POINTS].tolist(), strict=True)
    return [[class_, _significant(one), _significant(two)] for class_, one, two in columns]


def metrics(content: Mapping[str, Any]) -> dict[str, Any]:
    """The main numbers of a layer, for ``dvc metrics show``."""
    if not content["measured"]:
        return {"measured": False}
    ablation, steering = content["replacement"], content["cells"]
    found = {
        "measured": True,
        "verdict": content["verdict"]["removed"]["grade"],
        "verdict_cells": content["verdict"]["pushed"]["grade"],
        "within": {name: group["within"] for name, group in ablation["measures"].items()},
        "within_shuffled": {name: group["within"] for name, group in ablation["shuffled"].items()},
        "across": {name: group["across"] for name, group in ablation["measures"].items()},
        "samples": ablation["samples"],
        "cells": steering["tested"] if steering else 0,
    }
    return found | {"percentile": steering["percentile"], "percentile_lift": steering["lift"]} if steering else found


def _significant(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
