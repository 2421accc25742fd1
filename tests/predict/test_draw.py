import numpy as np
import pytest

from pipeline.predict.draw import draw_rows, partners


def test_images_come_once_before_any_comes_twice() -> None:
    """With 7 images, the first 7 rows are of different images, the next 7 too, and no row comes twice."""
    image = np.repeat(np.arange(7), 5)
    rows = draw_rows(image, 14, seed=3)
    assert sorted(image[rows[:7]]) == sorted(image[rows[7:]]) == list(range(7))
    assert len(set(rows)) == 14


def test_the_draw_follows_the_seed() -> None:
    """The same seed draws the same rows, another seed others; too many rows give all there are."""
    image = np.repeat(np.arange(50), 2)
    assert np.array_equal(draw_rows(image, 20, 0), draw_rows(image, 20, 0))
    assert not np.array_equal(draw_rows(image, 20, 0), draw_rows(image, 20, 1))
    assert sorted(draw_rows(image, 1000, 0)) == list(range(100))


def test_partners_are_of_other_images() -> None:
    """Every sample's partner is of another image, also where one image has most samples; two searches differ."""
    image = np.array([0, 0, 0, 0, 1, 2, 0, 0])
    near, far = partners(image), partners(image, first=3)
    assert (image[near] != image).all()
    assert (image[far] != image).all()
    assert (near != far).any()
    with pytest.raises(ValueError, match="same image"):
        partners(np.zeros(4, np.int64))
