"""The figures of both tests => the verdict that the page shows."""

import math
from collections.abc import Mapping
from typing import Any

from pipeline.predict.bootstrap import Interval
from pipeline.predict.result import rounded
from pipeline.predict.verdict import RULE, WARNING, Finding, judge, verdict


def judgement(removed: Mapping[str, Any], pushed: Mapping[str, Any] | None) -> dict[str, Any]:
    """Words, warning and the rule that they follow.

    Args:
        removed: figures of the replacement test; what counts is the rank correlation within a sample with zero in
            place, since that is what an attribution speaks of.
        pushed: figures of the causal test, None where no cell could be tested.
    """
    findings = _removed(removed), _pushed(pushed) if pushed else Finding(math.nan, "unknown")
    return {
        "removed": {"share": rounded(findings[0].share), "grade": findings[0].grade},
        "pushed": {"share": rounded(findings[1].share), "grade": findings[1].grade},
        "text": verdict(*findings),
        "warning": WARNING if any(finding.weak for finding in findings) else None,
        "rule": RULE,
    }


def _removed(figures: Mapping[str, Any]) -> Finding:
    value, chance = (_known(figures[of]["zero"]["within"]["value"]) for of in ("measures", "shuffled"))
    return judge(value, chance, 1.0, [_interval(figures["lift"]["zero"]["within"])], figures["ranked_images"])


def _pushed(figures: Mapping[str, Any]) -> Finding:
    values = {name: _known(found["value"]) for name, found in figures["percentile"].items()}
    best_control = max(value for name, value in values.items() if name != "own")
    lifts = [_interval(lift) for lift in figures["lift"].values()]
    return judge(values["own"], best_control, figures["ceiling"], lifts, figures["images"])


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _interval(found: Mapping[str, float | None]) -> Interval:
    return Interval(_known(found["value"]), _known(found["low"]), _known(found["high"]))
