import math

import pytest

from pipeline.core.bootstrap import Interval
from pipeline.predict.verdict import Finding, grade, verdict_text

CLEAR, UNCLEAR, NONE = Interval(0.3, 0.2, 0.4), Interval(0.1, -0.1, 0.3), Interval(0.3, math.nan, math.nan)


@pytest.mark.parametrize(
    ("value", "chance", "perfect", "lifts", "expected"),
    [
        (0.9, 0.0, 1.0, [CLEAR], "well"),
        (0.9, 0.85, 1.0, [CLEAR], "fairly"),  # a third of what chance leaves
        (0.3, 0.0, 1.0, [CLEAR], "fairly"),
        (0.1, 0.0, 1.0, [CLEAR], "weakly"),
        (0.9, 0.0, 1.0, [CLEAR, UNCLEAR], "not"),  # one control that may be as good suffices
        (0.9, 0.0, 1.0, [NONE], "unknown"),
        (math.nan, 0.0, 1.0, [CLEAR], "unknown"),
        (0.8, 0.5, 0.8, [CLEAR, CLEAR], "well"),
    ],
)
def test_grades_follow_from_the_numbers(
    value: float, chance: float, perfect: float, lifts: list[Interval], expected: str
) -> None:
    """Each grade has its range of the score between chance and perfect, and requires intervals above zero."""
    assert grade(value, chance, perfect, lifts, 20).grade == expected


def test_too_few_images_have_no_grade() -> None:
    """Below twenty images the finding is unknown and the sentence says why, whatever the numbers are."""
    few = grade(0.9, 0.0, 1.0, [CLEAR], 19)
    assert few.grade == "too few images"
    assert math.isnan(few.score)
    assert not few.weak
    assert grade(0.9, 0.0, 1.0, [CLEAR], 20).grade == "well"
    assert grade(math.nan, 0.0, 1.0, [CLEAR], 19).grade == "unknown"
    sentence = verdict_text(few, few)
    assert sentence.count("cannot be measured with fewer than 20 images") == 2


def test_weak_findings_have_a_warning() -> None:
    """Weak and absent effects warn; good and unknown ones do not. Findings that disagree are joined by a but."""
    assert [Finding(0.1, "weakly").weak, Finding(0.1, "not").weak] == [True, True]
    assert not Finding(0.6, "well").weak
    assert not Finding(math.nan, "unknown").weak
    assert ", but " in verdict_text(Finding(0.6, "well"), Finding(0.1, "not"))
    assert ", and " in verdict_text(Finding(0.6, "well"), Finding(0.3, "fairly"))
