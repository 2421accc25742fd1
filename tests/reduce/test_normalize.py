import numpy as np
import pytest

from pipeline.reduce.normalize import to_unit_square


def test_both_margins_are_equal() -> None:
    """Without outliers the points fill the square up to the same margin on all four sides."""
    points = np.random.default_rng(0).uniform(-3, 40, size=(2000, 2)) * (1, 10)
    placed, outside = to_unit_square(points, percentile=0, margin=0.1)
    np.testing.assert_allclose(placed.min(axis=0), 0.1 / 1.2)
    np.testing.assert_allclose(placed.max(axis=0), 1.1 / 1.2)
    assert not outside.any()


@pytest.mark.parametrize("planted", [0, 7, 20])
def test_outliers_go_to_the_edge_and_are_counted(planted: int) -> None:
    """Planted far points end on the edge, and no other point does."""
    points = np.random.default_rng(0).uniform(0, 1, size=(2000, 2))
    points[:planted, 0] = 50
    placed, outside = to_unit_square(points, percentile=2, margin=0.1)
    assert outside.sum() == planted
    np.testing.assert_array_equal(placed[:planted, 0], 1)
    assert placed[planted:].min() > 0
    assert placed[planted:].max() < 1


def test_a_flat_axis_lies_in_the_middle() -> None:
    """Points that do not differ along an axis are put at its middle; none of them is an outlier."""
    placed, outside = to_unit_square(np.stack([np.arange(5.0), np.full(5, 3.0)], axis=1), percentile=1, margin=0)
    np.testing.assert_array_equal(placed[:, 1], 0.5)
    assert not outside[1:4].any()
