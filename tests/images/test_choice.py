"""Images are chosen from as many classes as possible, or by their keys."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.core.errors import ConfigError
from pipeline.images.choice import require_keys, spread_over_classes


@pytest.mark.parametrize(
    "label",
    [
        np.arange(60) % 10,
        np.repeat(np.arange(10), 6),
        np.random.default_rng(0).permutation(np.repeat(np.arange(10), 6)),
    ],
    ids=["in turns", "one after the other", "mixed"],
)
@pytest.mark.parametrize("count", [1, 4, 10, 25, 60])
def test_as_many_classes_as_possible(label: NDArray[np.int64], count: int) -> None:
    """No image comes twice, classes differ by one image at most, whatever the order of the images."""
    rows = spread_over_classes(label, count)
    assert len(set(rows)) == len(rows) == count
    assert rows == sorted(rows)
    each = np.bincount(label[rows], minlength=10)
    assert each.max() - each.min() <= 1
    assert (each > 0).sum() == min(count, 10)


def test_a_small_class_does_not_limit_the_others() -> None:
    """More images than there are give all of them; a class with one image gives one."""
    label = np.array([0, 1, 1, 1, 1, -1, -1])
    assert spread_over_classes(label, 99) == list(range(7))
    assert np.bincount(label[spread_over_classes(label, 5)] + 1).tolist() == [2, 1, 2]


def test_unknown_keys_are_named() -> None:
    """The line names the setting, the key and near ones, without control characters."""
    require_keys(["a.png"], {"a.png": 0}, "explain.images")
    with pytest.raises(
        ConfigError, match=r"explain.images: expected keys of usable images, found a\\x1b.png; near keys: a1"
    ):
        require_keys(["a\x1b.png"], {"a1.png": 0}, "explain.images")
