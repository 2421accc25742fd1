"""The verdict on a cell: whether its icon is faithful, its mean reliable, its samples alike, and which class names it.

All limits are absolute and defined here alone. The manifest holds them, so that the panel, the marks of cells to doubt,
the tour and the contents page say the same about a cell. An absolute limit has the same meaning at every layer and
level; one relative to the level's median would mark a fixed share of the cells of any layer, good or bad.
``docs/verdict.md`` gives the reasons.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Measure = Literal["fidelity", "reliability", "spread"]


@dataclass(frozen=True)
class Limits:
    """The limits of a measure.

    Attributes:
        good: the measure is good at this value and on its better side.
        doubt: the cell is one to doubt on the worse side of this value.
    """

    good: float
    doubt: float

    @property
    def larger_is_better(self) -> bool:
        """The side of the limits that is the better one."""
        return self.good > self.doubt


# Fidelity is centered. A cosine of 0.6 is an angle of 53 degrees, one of 0.8 an angle of 37 degrees.
#
# Reliability is the cosine r between the means of two halves of the images. By Spearman and Brown (1910), that between
# the means of two whole sets of as many images is 2r / (1 + r), and the cosine between the cell's mean and the mean
# over unlimited images is the square root of that: 0.82 for r = 0.5, 0.94 for r = 0.8.
#
# A spread of 0.75 means that the samples have a mean cosine of 0.25 with the cell's mean, an angle of 76 degrees:
# the mean is a compromise that hardly any sample resembles.
LIMITS: Mapping[Measure, Limits] = {
    "fidelity": Limits(good=0.8, doubt=0.6),
    "reliability": Limits(good=0.8, doubt=0.5),
    "spread": Limits(good=0.35, doubt=0.75),
}
# A logit that is 0.01 larger makes the odds of a class 1 % larger; a class to which a cell adds less than that names
# nothing.
MIN_ATTRIBUTION = 0.01


def verdict_content() -> dict[str, Any]:
    """All limits as the manifest holds them: by measure, and ``attribution``, logit."""
    return {**{measure: asdict(limits) for measure, limits in LIMITS.items()}, "attribution": MIN_ATTRIBUTION}


def in_doubt(measure: Measure, values: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which of these values are on the worse side of the limit; unknown ones (NaN) are not."""
    limits = LIMITS[measure]
    return values < limits.doubt if limits.larger_is_better else values > limits.doubt


def count_doubts(measures: Mapping[Measure, NDArray[np.floating]], drawn: NDArray[np.bool_]) -> dict[str, int]:
    """Number of drawn cells to doubt, by measure, and of those with any reason, ``any``.

    Args:
        measures: [cell] values of every measure; of fidelity the centered one.
        drawn: [cell] whether the cell has an icon.
    """
    found = {measure: in_doubt(measure, values) & drawn for measure, values in measures.items()}
    together = np.logical_or.reduce(list(found.values()))
    return {**{measure: int(cells.sum()) for measure, cells in found.items()}, "any": int(together.sum())}


@dataclass(frozen=True)
class Naming:
    """Which classes may name each cell or region.

    Attributes:
        candidate: [group, rank] the classes of enough attribution that cannot be told from the first; where the first
            is none, no class names the group.
        named: [group] whether the first class is told from all others, and so is the name.
    """

    candidate: NDArray[np.bool_]
    named: NDArray[np.bool_]


def naming(alike: NDArray[np.bool_], value: NDArray[np.floating]) -> Naming:
    """The naming of groups.

    Args:
        alike: [group, rank] the classes that cannot be told from the first, see :func:`pipeline.site.names.candidates`.
        value: [group, rank] mean attribution to them, logit; of a region, how much it exceeds the average.
    """
    candidate = alike & (value >= MIN_ATTRIBUTION)
    candidate &= candidate[:, :1]  # without the first there is nothing to be told from
    return Naming(candidate, np.asarray(candidate[:, :1].any(axis=1) & ~alike[:, 1:].any(axis=1)))
