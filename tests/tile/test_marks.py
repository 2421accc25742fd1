import numpy as np
import pytest

from pipeline.tile.marks import density_sides, fitted, hatched


def test_icons_keep_their_pixels_where_the_size_fits() -> None:
    """An icon of the right size is not touched; a plain one keeps its colour at any size."""
    icon = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    np.testing.assert_array_equal(fitted(icon, 16), icon)
    plain = np.full((16, 16, 3), (10, 200, 90), np.uint8)
    for side in (1, 5, 40):
        np.testing.assert_array_equal(fitted(plain, side), np.full((side, side, 3), (10, 200, 90)))


def test_the_mark_of_failure_is_no_plain_grey() -> None:
    """It is colourless and has two shades in stripes, at any size an icon can have."""
    for side in (16, 64, 100):
        mark = hatched(side)
        assert mark.shape == (side, side, 3)
        assert len(np.unique(mark)) == 2
        assert (mark == mark[..., :1]).all()


@pytest.mark.parametrize(("count", "side"), [(1, 16), (4, 32), (16, 64), (17, 64), (1000, 64)])
def test_area_is_in_proportion_to_count(count: int, side: int) -> None:
    """Up to the level's mean count (here 16 in each of 100 cells), and no icon is larger than its cell."""
    assert density_sides(np.array([count]), cells=100, samples=1600, side=64).tolist() == [side]


def test_a_lonely_sample_can_still_be_seen() -> None:
    """However sparse the cell, its icon has at least one pixel."""
    assert density_sides(np.array([1]), cells=4, samples=10**9, side=8).tolist() == [1]
