from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.cells import assign_cells, parents

SIZES = (10, 20, 40)


@pytest.mark.parametrize(
    ("xy", "row_column"),
    [
        ((0.0, 0.0), (0, 0)),
        ((0.5, 0.5), (5, 5)),
        ((1.0, 1.0), (9, 9)),
        ((1.0, 0.0), (0, 9)),
        ((0.0, 1.0), (9, 0)),
        ((0.5, 0.49), (4, 5)),
        ((0.09, 0.31), (3, 0)),
    ],
)
def test_a_point_on_a_corner_is_in_exactly_one_cell(xy: tuple[float, float], row_column: tuple[int, int]) -> None:
    """A cell owns its left and top edge, and the last row and column own the far edge; x is the column."""
    (level,) = assign_cells(np.array([xy]), (10,))
    np.testing.assert_array_equal(level.cell, [row_column])
    np.testing.assert_array_equal(level.count, [1])


def test_every_edge_of_the_grid_is_owned_once() -> None:
    """Points on all crossings of the finest grid lines are counted once at every level."""
    ticks = np.arange(41) / 40
    crossings = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    for level in assign_cells(crossings, SIZES):
        assert level.count.sum() == len(crossings)
        assert len(level.cell) == level.size**2


@given(st.lists(st.tuples(*[st.floats(0, 1, width=32)] * 2), min_size=1, max_size=60))
def test_levels_nest_and_counts_add_up(places: list[tuple[float, float]]) -> None:
    """A coarse cell holds exactly the points of its finer cells, wherever the points are."""
    levels = assign_cells(np.array(places, np.float32), SIZES)
    for coarse, fine in pairwise(levels):
        np.testing.assert_array_equal(parents(fine, coarse)[fine.of_point], coarse.of_point)
        added = np.bincount(parents(fine, coarse), fine.count, len(coarse.cell))
        np.testing.assert_array_equal(added, coarse.count)
    for level in levels:
        assert level.count.sum() == len(places)
        assert level.count.min() >= 1
        assert (level.cell >= 0).all()
        assert (level.cell < level.size).all()


def test_cells_are_in_reading_order() -> None:
    """Cells are unique and sorted by row, then column."""
    for level in assign_cells(np.random.default_rng(0).random((500, 2)), SIZES):
        flat = level.cell[:, 0] * level.size + level.cell[:, 1]
        assert (np.diff(flat) > 0).all()
