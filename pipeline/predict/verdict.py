"""The verdict on a layer: grades of both tests by fixed thresholds, and the sentences of the page.

A grade depends on the normalized score: 0 at chance level, 1 for a perfect prediction. Chance level is measured with
the relation between attribution and network broken: shuffled attributions, or the best of the control directions.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.core.bootstrap import Interval
from pipeline.predict.measurement import rounded

Grade = Literal["well", "fairly", "weakly", "not", "unknown", "too few images"]

WELL = 0.5
FAIRLY = 0.2
MIN_IMAGES = 20  # bootstrap intervals over fewer images are too narrow to be trusted
RULE = (
    "Grades follow from the score between chance (0 %) and a perfect prediction (100 %): accurately from "
    f"{100 * WELL:.0f} %, fairly accurately from {100 * FAIRLY:.0f} %, weakly below. They require that the "
    "95 % interval of the lift over every control lies above zero; otherwise there is no prediction. Below "
    f"fairly accurately the page shows a warning. With fewer than {MIN_IMAGES} images there is no grade."
)
ABLATION: Mapping[Grade, str] = {
    "well": "Attribution accurately predicts which logits drop under ablation",
    "fairly": "Attribution predicts fairly accurately which logits drop under ablation",
    "weakly": "Attribution predicts only weakly which logits drop under ablation",
    "not": "Attribution does not predict which logits drop under ablation",
    "unknown": "There are too few samples to measure whether attribution predicts which logits drop",
    "too few images": (
        f"Whether attribution predicts which logits drop cannot be measured with fewer than {MIN_IMAGES} images"
    ),
}
STEERING: Mapping[Grade, str] = {
    "well": "the logits of a cell’s top classes clearly increase under steering",
    "fairly": "the logits of a cell’s top classes increase under steering",
    "weakly": "the logits of a cell’s top classes increase only slightly under steering",
    "not": "the logits of a cell’s top classes increase no more than others under steering",
    "unknown": "there are too few cells to measure whether logits increase under steering",
    "too few images": (
        f"whether logits increase under steering cannot be measured with fewer than {MIN_IMAGES} images"
    ),
}
WARNING = "At this layer a cell’s top classes are hints, not evidence of what the network decides by."


@dataclass(frozen=True)
class Finding:
    """The outcome of one test.

    Attributes:
        score: 0 at chance level, 1 for a perfect prediction; NaN where unknown.
        grade: the word for it.
    """

    score: float
    grade: Grade

    @property
    def weak(self) -> bool:
        """Whether the page should show a warning."""
        return self.grade in ("weakly", "not")


def grade(value: float, chance: float, perfect: float, lifts: Sequence[Interval], images: int) -> Finding:
    """The finding of one test.

    Args:
        value: what was measured.
        chance: value of the best control.
        perfect: the best possible value.
        lifts: of the value over every control; one without an interval makes the finding unknown.
        images: how many the value was measured on.
    """
    if not math.isnan(value) and images < MIN_IMAGES:
        return Finding(math.nan, "too few images")
    score = (value - chance) / (perfect - chance) if perfect > chance else math.nan
    if math.isnan(score) or not lifts or any(math.isnan(lift.low) for lift in lifts):
        return Finding(math.nan, "unknown")
    if any(lift.low <= 0 for lift in lifts):
        return Finding(score, "not")
    return Finding(score, "well" if score >= WELL else "fairly" if score >= FAIRLY else "weakly")


def verdict_text(ablation: Finding, steering: Finding) -> str:
    """Both findings as one sentence."""
    good = ("well", "fairly")
    conjunction = "and" if (ablation.grade in good) == (steering.grade in good) else "but"
    return f"{ABLATION[ablation.grade]}, {conjunction} {STEERING[steering.grade]}."


def layer_verdict(ablation: Mapping[str, Any], steering: Mapping[str, Any] | None) -> dict[str, Any]:
    """Grades, sentence, warning and the rule that they follow, as the page shows them.

    Args:
        ablation: results of the ablation test; graded by the rank correlation within a sample under ablation by the
            baseline of attributions, since that is what an attribution estimates.
        steering: results of the steering test, None where no cell could be tested.
    """
    findings = _grade_ablation(ablation), _grade_steering(steering) if steering else Finding(math.nan, "unknown")
    return {
        "ablation": {"score": rounded(findings[0].score), "grade": findings[0].grade},
        "steering": {"score": rounded(findings[1].score), "grade": findings[1].grade},
        "text": verdict_text(*findings),
        "warning": WARNING if any(finding.weak for finding in findings) else None,
        "rule": RULE,
    }


def _grade_ablation(results: Mapping[str, Any]) -> Finding:
    by = results["estimated"]
    value, chance = (_known(results[of][by]["within"]["value"]) for of in ("measures", "shuffled"))
    return grade(value, chance, 1.0, [_interval(results["lift"][by]["within"])], results["ranked_images"])


def _grade_steering(results: Mapping[str, Any]) -> Finding:
    values = {name: _known(found["value"]) for name, found in results["percentile"].items()}
    best_control = max(value for name, value in values.items() if name != "own")
    lifts = [_interval(lift) for lift in results["lift"].values()]
    return grade(values["own"], best_control, results["ceiling"], lifts, results["images"])


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _interval(found: Mapping[str, float | None]) -> Interval:
    return Interval(_known(found["value"]), _known(found["low"]), _known(found["high"]))
