import numpy as np
import pytest

from pipeline.predict.cells import (
    DIRECTIONS,
    Pushes,
    cells_of_points,
    draw_cells,
    draw_pushes,
    named_classes,
    nearest_level,
    push_directions,
    unit_directions,
)


def test_the_nearest_level_is_taken() -> None:
    """The level nearest to the wanted one, the coarser of two."""
    assert nearest_level([10, 20, 40], 20) == 20
    assert nearest_level([40, 10, 20], 15) == 10
    assert nearest_level([5, 10], 80) == 10


def test_points_lie_where_the_grid_puts_them() -> None:
    """A cell owns its left and top edge, the last ones the far edge too; levels nest."""
    xy = np.array([[0.0, 0.0], [0.5, 0.0], [0.49999, 0.99], [1.0, 1.0]], np.float32)
    assert cells_of_points(xy, 2, 4).tolist() == [0, 1, 2, 3]
    random = np.random.default_rng(0).random((1000, 2)).astype(np.float32)
    fine, coarse = cells_of_points(random, 40, 40), cells_of_points(random, 10, 40)
    assert np.array_equal(fine // 40 // 4 * 10 + fine % 40 // 4, coarse)


def test_cells_are_drawn_from_the_usable_ones() -> None:
    """Only usable cells, each once, as many as asked for, by the seed."""
    usable = np.arange(100) % 3 == 0
    found = draw_cells(usable, 10, seed=0)
    assert len(set(found)) == 10
    assert usable[found].all()
    assert not np.array_equal(found, draw_cells(usable, 10, seed=1))
    assert np.array_equal(draw_cells(usable, 1000, 0), np.flatnonzero(usable))


def test_classes_are_named_as_the_page_names_them() -> None:
    """The three largest positive attributions, largest first; negative ones are not named, nor most of all classes."""
    attribution = np.array([[1.0, 5, -2, 3, 4, 0], [-1, -1, 2, 0, -3, -1], [-1, -1, -1, -1, -1, 0]])
    assert named_classes(attribution).tolist() == [[1, 4, 3], [2, -1, -1], [-1, -1, -1]]
    assert named_classes(attribution[:, :2]).tolist() == [[1], [-1], [-1]]


def test_unseen_images_are_unseen() -> None:
    """No image that is pushed has a sample in the cell, each comes once in a cell, and rows are its own."""
    random = np.random.default_rng(2)
    image = random.permutation(np.repeat(np.arange(30), 6))
    sample = random.permutation(180)[:150]  # a layout may leave samples out
    squares = random.integers(0, 12, 150)
    tested = np.unique(squares)
    pushes = draw_pushes(squares, sample, image, tested, 8, seed=0)
    for number, square in enumerate(tested):
        mine = image[pushes.row[pushes.cell == number]]
        seen = set(image[sample[squares == square]])
        assert len(set(mine)) == len(mine) == min(8, 30 - len(seen))
        assert not set(mine) & seen


def test_a_cell_that_saw_every_image_is_not_pushed() -> None:
    """Where no image is unseen there is no push."""
    squares = np.array([0, 0, 0, 1])
    pushes = draw_pushes(squares, np.arange(4), np.array([0, 1, 2, 2]), np.array([0, 1]), 5, seed=0)
    assert set(pushes.cell) == {1}
    assert len(pushes.row) == 2


def test_directions_have_the_same_length() -> None:
    """Own, random, shuffled and another cell's direction: all of length 1, each what its name says."""
    random = np.random.default_rng(3)
    mean = random.normal(size=16)
    units = unit_directions(mean + random.normal(size=(5, 16)), mean)
    pushes = Pushes(np.array([0, 0, 1]), np.zeros(3, np.int64))
    found = dict(zip(DIRECTIONS, push_directions(units, np.array([4, 2]), pushes, range(3), seed=0), strict=True))
    for values in found.values():
        assert np.linalg.norm(values, axis=1) == pytest.approx([1, 1, 1])
    assert np.array_equal(found["own"], units[[4, 4, 2]])
    assert np.sort(found["shuffled"], axis=1) == pytest.approx(np.sort(found["own"], axis=1))
    others = [np.flatnonzero((units == row).all(axis=1)).item() for row in found["other"]]
    assert others[0] != 4
    assert others[2] != 2
    assert not np.allclose(found["gaussian"][0], found["gaussian"][1])


def test_directions_do_not_depend_on_how_pushes_are_cut() -> None:
    """A push has the same controls whichever batch it comes in."""
    units = unit_directions(np.random.default_rng(4).normal(size=(6, 8)), np.zeros(8))
    pushes = Pushes(np.zeros(7, np.int64), np.zeros(7, np.int64))
    whole = push_directions(units, np.array([1]), pushes, range(7), seed=0)
    cut = [push_directions(units, np.array([1]), pushes, span, seed=0) for span in (range(3), range(3, 7))]
    assert np.array_equal(whole, np.concatenate(cut, axis=1))


def test_a_cell_at_the_mean_has_no_direction() -> None:
    """The layer's mean itself points nowhere."""
    assert np.isnan(unit_directions(np.ones((1, 4)), np.ones(4))).all()
