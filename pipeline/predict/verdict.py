"""The figures of a layer in plain words, by fixed thresholds.

What counts is the share of the way from chance to perfect. Chance is what was measured with the tie between
attribution and network cut: shuffled attributions, or the best of the control directions.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.predict.bootstrap import Interval

Grade = Literal["well", "fairly", "weakly", "not", "unknown", "too few images"]

WELL = 0.5
FAIRLY = 0.2
FEWEST = 20  # images: intervals drawn anew from fewer are too narrow to be trusted
RULE = (
    f"The words follow from the share of the way from chance to perfect: well from {100 * WELL:.0f} %, fairly from "
    f"{100 * FAIRLY:.0f} %, weakly below. They hold only where the 95 % interval of the lift over every control lies "
    "above zero; otherwise nothing is foretold. Below fairly there is a warning. From fewer than "
    f"{FEWEST} images nothing can be told."
)
REMOVED: Mapping[Grade, str] = {
    "well": "Attribution foretells well which logits fall when an activation is taken away",
    "fairly": "Attribution foretells fairly which logits fall when an activation is taken away",
    "weakly": "Attribution foretells only weakly which logits fall when an activation is taken away",
    "not": "Attribution does not foretell which logits fall when an activation is taken away",
    "unknown": "Whether attribution foretells which logits fall cannot be told from so few samples",
    "too few images": (
        f"Whether attribution foretells which logits fall cannot be told from fewer than {FEWEST} images"
    ),
}
PUSHED: Mapping[Grade, str] = {
    "well": "the classes that a cell names clearly rise when other images are pushed its way",
    "fairly": "the classes that a cell names rise when other images are pushed its way",
    "weakly": "the classes that a cell names rise only a little when other images are pushed its way",
    "not": "the classes that a cell names do not rise more than others when other images are pushed its way",
    "unknown": "whether a cell's classes rise when others are pushed its way cannot be told from so few cells",
    "too few images": (
        f"whether a cell's classes rise when others are pushed its way cannot be told from fewer than {FEWEST} images"
    ),
}
WARNING = "Take the classes named at this layer as hints, not as what the network decides by."


@dataclass(frozen=True)
class Finding:
    """How one test came out: the share of the way from chance to perfect (NaN where unknown), and its word."""

    share: float
    grade: Grade

    @property
    def weak(self) -> bool:
        """Whether the page should warn."""
        return self.grade in ("weakly", "not")


def judge(value: float, chance: float, perfect: float, lifts: Sequence[Interval], images: int) -> Finding:
    """The finding of one test.

    Args:
        value: what was measured.
        chance: what the best control gives.
        perfect: the best value possible.
        lifts: of the value over every control; one without an interval leaves the finding unknown.
        images: that it was measured on.
    """
    if not math.isnan(value) and images < FEWEST:
        return Finding(math.nan, "too few images")
    share = (value - chance) / (perfect - chance) if perfect > chance else math.nan
    if math.isnan(share) or not lifts or any(math.isnan(lift.low) for lift in lifts):
        return Finding(math.nan, "unknown")
    if any(lift.low <= 0 for lift in lifts):
        return Finding(share, "not")
    return Finding(share, "well" if share >= WELL else "fairly" if share >= FAIRLY else "weakly")


def verdict(removed: Finding, pushed: Finding) -> str:
    """Both findings as one sentence."""
    good = ("well", "fairly")
    joint = "and" if (removed.grade in good) == (pushed.grade in good) else "but"
    return f"{REMOVED[removed.grade]}, {joint} {PUSHED[pushed.grade]}."
