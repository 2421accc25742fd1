import math

import pytest

from pipeline.predict.bootstrap import Interval
from pipeline.predict.verdict import Finding, judge, verdict

CLEAR, UNCLEAR, NONE = Interval(0.3, 0.2, 0.4), Interval(0.1, -0.1, 0.3), Interval(0.3, math.nan, math.nan)


@pytest.mark.parametrize(
    ("value", "chance", "perfect", "lifts", "grade"),
    [
        (0.9, 0.0, 1.0, [CLEAR], "well"),
        (0.9, 0.85, 1.0, [CLEAR], "fairly"),  # a third of the way that chance leaves
        (0.3, 0.0, 1.0, [CLEAR], "fairly"),
        (0.1, 0.0, 1.0, [CLEAR], "weakly"),
        (0.9, 0.0, 1.0, [CLEAR, UNCLEAR], "not"),  # one control that may be as good is enough
        (0.9, 0.0, 1.0, [NONE], "unknown"),
        (math.nan, 0.0, 1.0, [CLEAR], "unknown"),
        (0.8, 0.5, 0.8, [CLEAR, CLEAR], "well"),
    ],
)
def test_words_follow_from_the_figures(
    value: float, chance: float, perfect: float, lifts: list[Interval], grade: str
) -> None:
    """Each word stands for its share of the way from chance to perfect, and only with clear intervals."""
    assert judge(value, chance, perfect, lifts, 20).grade == grade


def test_from_too_few_images_nothing_is_told() -> None:
    """Below twenty images the finding is unknown and the sentence says why, however clear the figures are."""
    few = judge(0.9, 0.0, 1.0, [CLEAR], 19)
    assert few.grade == "too few images"
    assert math.isnan(few.share)
    assert not few.weak
    assert judge(0.9, 0.0, 1.0, [CLEAR], 20).grade == "well"
    assert judge(math.nan, 0.0, 1.0, [CLEAR], 19).grade == "unknown"
    sentence = verdict(few, few)
    assert sentence.count("cannot be told from fewer than 20 images") == 2


def test_a_warning_is_given_where_it_is_due() -> None:
    """Weak and absent effects warn; good and unknown ones do not. Findings that disagree are joined by a but."""
    assert [Finding(0.1, "weakly").weak, Finding(0.1, "not").weak] == [True, True]
    assert not Finding(0.6, "well").weak
    assert not Finding(math.nan, "unknown").weak
    assert ", but " in verdict(Finding(0.6, "well"), Finding(0.1, "not"))
    assert ", and " in verdict(Finding(0.6, "well"), Finding(0.3, "fairly"))
