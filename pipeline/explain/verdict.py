"""How far a method's heat maps can be trusted: figures with 95 % intervals over the images."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.core.bootstrap import Interval, row_weights, weighted_interval, weighted_mean
from pipeline.explain.deletion import area

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]
Figure = tuple[str, str]  # its name, and the column or control it is of

CONTROLS = ("random", "center")  # a random order of the pixels, and the nearest to the center first


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of every explained row; NaN where something could not be measured.

    Attributes:
        image: of each row, [row]: rows of one image are resampled together.
        deletion, insertion: curves by column or control, [row, step + 1].
        hit, iou: of the pointing game and the mask, by column or control, [row]; empty without masks.
        constant: whether a heat map is the same everywhere, by column, [row].
    """

    image: Ints
    deletion: Mapping[str, Doubles]
    insertion: Mapping[str, Doubles]
    hit: Mapping[str, Doubles] = field(default_factory=dict)
    iou: Mapping[str, Doubles] = field(default_factory=dict)
    constant: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    def areas(self, curves: Mapping[str, Doubles], name: str) -> Doubles:
        """Area under the curves of a column or control, [row]; NaN where a column's heat map is constant."""
        found = area(curves[name])
        return np.where(self.constant[name], np.nan, found) if name in self.constant else found


class Resampling:
    """The bootstrap over units (images or mosaics) that all figures of a kind share."""

    def __init__(self, unit: Ints, resamples: int, seed: int) -> None:
        """Draw.

        Args:
            unit: of each row, [row]; rows of one unit are drawn together.
            resamples: how many.
            seed: of the run.
        """
        self._weights = row_weights(np.random.default_rng([seed, len(unit)]), [unit], resamples)

    def mean(self, values: Doubles) -> Interval:
        """The mean of values [row] without those that are NaN, with its interval."""
        if not np.isfinite(values).any():
            return Interval(np.nan, np.nan, np.nan)
        return weighted_interval(weighted_mean(values, self._weights))


def column_intervals(figures: Figures, resampling: Resampling, column: str) -> dict[str, Interval]:
    """The figures of a column: areas under its curves, and their differences from those of the controls.

    Args:
        figures: of all rows.
        resampling: of the rows.
        column: its name.
    """
    found = {}
    for name, curves in (("deletion", figures.deletion), ("insertion", figures.insertion)):
        own = figures.areas(curves, column)
        found[name] = resampling.mean(own)
        for control in CONTROLS:
            found[f"{name}_{control}"] = resampling.mean(own - figures.areas(curves, control))
    for name, values in (("pointing", figures.hit), ("mask_iou", figures.iou)):
        if column in values:
            found[name] = resampling.mean(values[column])
    return found


def mean_curves(figures: Figures, name: str) -> dict[str, list[float]]:
    """Mean deletion and insertion curves of a column or control, [step + 1] each, without constant heat maps."""
    kept = ~figures.constant[name] if name in figures.constant else np.ones(len(figures.image), bool)
    curves = {"deletion": figures.deletion[name][kept], "insertion": figures.insertion[name][kept]}
    return {kind: one.mean(axis=0).tolist() if len(one) else [] for kind, one in curves.items()}


def summary(intervals: Mapping[str, Mapping[str, Interval]]) -> str:
    """One line for the log: which columns are better than both controls by deletion."""
    better = [
        name for name in intervals if all(intervals[name][f"deletion_{control}"].high < 0 for control in CONTROLS)
    ]
    return f"better than a random order and the center by deletion: {', '.join(better) or 'none'}"
