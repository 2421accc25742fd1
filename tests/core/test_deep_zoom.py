import numpy as np
import pytest

from pipeline.core.deep_zoom import density_sides, failure_pattern, resize_icon


def test_icons_keep_their_pixels_where_the_size_fits() -> None:
    """An icon of the right size is not touched; a plain one keeps its color at any size."""
    icon = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    np.testing.assert_array_equal(resize_icon(icon, 16), icon)
    plain = np.full((16, 16, 3), (10, 200, 90), np.uint8)
    for side in (1, 5, 40):
        np.testing.assert_array_equal(resize_icon(plain, side), np.full((side, side, 3), (10, 200, 90)))


def test_the_failure_pattern_is_not_plain_gray() -> None:
    """It is gray and has two shades in stripes, at any size an icon can have."""
    for side in (16, 64, 100):
        pattern = failure_pattern(side)
        assert pattern.shape == (side, side, 3)
        assert len(np.unique(pattern)) == 2
        assert (pattern == pattern[..., :1]).all()


@pytest.mark.parametrize(("count", "side"), [(1, 16), (4, 32), (16, 64), (17, 64), (1000, 64)])
def test_area_is_in_proportion_to_count(count: int, side: int) -> None:
    """Up to the level's mean count (here 16 in each of 100 cells), and no icon is larger than its cell."""
    assert density_sides(np.array([count]), cells=100, samples=1600, side=64).tolist() == [side]


def test_a_single_sample_stays_visible() -> None:
    """However sparse the cell, its icon has at least one pixel."""
    assert density_sides(np.array([1]), cells=4, samples=10**9, side=8).tolist() == [1]
