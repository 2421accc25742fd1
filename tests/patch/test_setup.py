import numpy as np
import pytest

from pipeline.patch.experiment import random_halves
from pipeline.patch.setup import spread_evenly


def test_images_are_taken_at_equal_steps() -> None:
    """A limit keeps rows from the first to nearly the last, each once."""
    rows = np.arange(100, 200)
    assert spread_evenly(rows, 5).tolist() == [100, 120, 140, 160, 180]
    assert spread_evenly(rows, 500).tolist() == rows.tolist()


@pytest.mark.parametrize("count", [0, 1, 2, 17, 200])
def test_no_image_is_in_both_halves(count: int) -> None:
    """The halves hold every image once, differ by at most one in length, and follow the seed."""
    first, second = random_halves(count, np.random.default_rng(3))
    assert sorted([*first, *second]) == list(range(count))
    assert 0 <= len(second) - len(first) <= 1
    again, _ = random_halves(count, np.random.default_rng(3))
    assert first.tolist() == again.tolist()
