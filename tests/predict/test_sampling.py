import numpy as np
import pytest

from pipeline.predict.ablation import draw_rows, partners
from pipeline.predict.steering import draw_cells, draw_trials, flat_cells_at


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


def test_points_lie_where_the_grid_puts_them() -> None:
    """A cell owns its left and top edge, the last ones the far edge too; levels nest."""
    xy = np.array([[0.0, 0.0], [0.5, 0.0], [0.49999, 0.99], [1.0, 1.0]], np.float32)
    assert flat_cells_at(xy, 2, 4).tolist() == [0, 1, 2, 3]
    random = np.random.default_rng(0).random((1000, 2)).astype(np.float32)
    fine, coarse = flat_cells_at(random, 40, 40), flat_cells_at(random, 10, 40)
    assert np.array_equal(fine // 40 // 4 * 10 + fine % 40 // 4, coarse)


def test_cells_are_drawn_from_the_usable_ones() -> None:
    """Only usable cells, each once, as many as requested, by the seed."""
    usable = np.arange(100) % 3 == 0
    found = draw_cells(usable, 10, seed=0)
    assert len(set(found)) == 10
    assert usable[found].all()
    assert not np.array_equal(found, draw_cells(usable, 10, seed=1))
    assert np.array_equal(draw_cells(usable, 1000, 0), np.flatnonzero(usable))


def test_unseen_images_are_unseen() -> None:
    """No steered image has a sample in the cell, each comes once per cell, and the rows are its own."""
    random = np.random.default_rng(2)
    image = random.permutation(np.repeat(np.arange(30), 6))
    sample = random.permutation(180)[:150]  # a layout may leave samples out
    cells = random.integers(0, 12, 150)
    tested = np.unique(cells)
    trials = draw_trials(cells, sample, image, tested, 8, seed=0)
    for number, cell in enumerate(tested):
        mine = image[trials.row[trials.cell == number]]
        seen = set(image[sample[cells == cell]])
        assert len(set(mine)) == len(mine) == min(8, 30 - len(seen))
        assert not set(mine) & seen


def test_a_cell_with_samples_of_every_image_has_no_trial() -> None:
    """Where no image is unseen there is no trial."""
    cells = np.array([0, 0, 0, 1])
    trials = draw_trials(cells, np.arange(4), np.array([0, 1, 2, 2]), np.array([0, 1]), 5, seed=0)
    assert set(trials.cell) == {1}
    assert len(trials.row) == 2
