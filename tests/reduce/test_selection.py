import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.config.selection import SelectionSettings
from pipeline.reduce.selection import read_attributions, samples_of_class

TOP = 40


def attributions() -> NDArray[np.float32]:
    """Attributions [600, 7] with ties, zeros, and rows without any positive one."""
    values = np.random.default_rng(0).normal(size=(600, 7)).round(1).astype(np.float32)
    values[::9] = 0
    values[::11] = -np.abs(values[::11])
    return values


def by_hand(values: NDArray[np.float32], class_: int, rule: str) -> set[int]:
    """The filter's samples by its definition, row by row."""
    rank = {row for row in range(len(values)) if values[row].max() > 0 and int(values[row].argmax()) == class_}
    positive = sorted((-values[row, class_], row) for row in range(len(values)) if values[row, class_] > 0)
    magnitude = {row for _, row in positive[:TOP]}
    return {"rank": rank, "magnitude": magnitude, "both": rank | magnitude}[rule]


@pytest.mark.parametrize("rule", ["rank", "magnitude", "both"])
@pytest.mark.parametrize("class_", [0, 3, 6])
def test_filters_select_what_they_define(rule: str, class_: int) -> None:
    """Each filter selects the samples of its definition, each once, for any division into blocks."""
    values = attributions()
    found = read_attributions(np.array_split(values, 5), (class_,))
    settings = SelectionSettings(filter=rule, top=TOP)  # type: ignore[arg-type]  # one of the three
    sample = samples_of_class(found.strongest, found.value[:, 0], class_, settings)
    assert set(sample) == by_hand(values, class_, rule)
    assert len(set(sample)) == len(sample)
    assert (np.diff(sample) > 0).all()


def test_both_filters_select_shared_samples_once() -> None:
    """A sample that rank and magnitude both select is one sample, not two."""
    values = attributions()
    found = read_attributions([values], (2,))
    count = {
        rule: len(samples_of_class(found.strongest, found.value[:, 0], 2, SelectionSettings(filter=rule, top=TOP)))
        for rule in ("rank", "magnitude", "both")
    }
    assert max(count["rank"], count["magnitude"]) < count["both"] < count["rank"] + count["magnitude"]


def test_a_class_without_positive_attributions_has_no_samples() -> None:
    """Without a positive attribution no sample is selected, even where the attributions to all classes are equal."""
    found = read_attributions([np.zeros((30, 4), np.float32)], (0,))
    assert not len(samples_of_class(found.strongest, found.value[:, 0], 0, SelectionSettings()))
