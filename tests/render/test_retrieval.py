import numpy as np

from pipeline.render.retrieval import retrieval

CELLS = np.array([[0, 0], [0, 1], [5, 5]])
MEANS = np.array([[2.0, 1.0], [1.0, 2.0], [-1.0, -3.0]], np.float32)
ORIGIN = np.array([0.5, 0.5], np.float32)


def test_icons_that_equal_their_cells_are_found() -> None:
    """A perfect icon's nearest cell is its own."""
    found = retrieval(MEANS.copy(), MEANS, CELLS, ORIGIN)
    assert (found.exact, found.near) == (1.0, 1.0)


def test_a_neighbour_counts_as_near_only() -> None:
    """Two icons of neighbouring cells swapped: found nearby, not exactly. A far one swapped is not found at all."""
    swapped = retrieval(MEANS[[1, 0, 2]], MEANS, CELLS, ORIGIN)
    assert (swapped.exact, swapped.near) == (1 / 3, 1.0)
    far = retrieval(MEANS[[2, 1, 0]], MEANS, CELLS, ORIGIN)
    assert (far.exact, far.near) == (1 / 3, 1 / 3)


def test_an_icon_that_was_not_drawn_finds_nothing() -> None:
    """It counts among the icons, and is never found."""
    activations = MEANS.copy()
    activations[2] = np.nan
    found = retrieval(activations, MEANS, CELLS, ORIGIN)
    assert (found.exact, found.near) == (2 / 3, 2 / 3)
