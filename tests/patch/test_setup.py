import numpy as np

from pipeline.patch.setup import spread_evenly


def test_images_are_taken_at_equal_steps() -> None:
    """A limit keeps rows from the first to nearly the last, each once."""
    rows = np.arange(100, 200)
    assert spread_evenly(rows, 5).tolist() == [100, 120, 140, 160, 180]
    assert spread_evenly(rows, 500).tolist() == rows.tolist()
