import numpy as np
import pytest

from pipeline.site.exemplars import patch, places, spread_to_cells


@pytest.mark.parametrize(("field", "side", "limited"), [(16, 0.25, False), (32, 0.5, False), (60, 0.5, True)])
def test_patch_is_the_receptive_field_up_to_half_the_input(field: int, side: float, limited: bool) -> None:
    """Patches have the receptive field's side; where it is larger than half the input, half, and say so."""
    found = patch(field, 64)
    assert (found.side, found.limited) == (side, limited)


def test_places_are_those_of_the_samples() -> None:
    """Each exemplar gets its sample's image and position; where there is none, image -1."""
    image, position = np.array([7, 8, 9]), np.array([[0, 1], [2, 3], [4, 5]], np.int32)
    rows, where = places(np.array([[2, 0], [1, -1]]), image, position)
    assert rows.tolist() == [[9, 7], [8, -1]]
    assert where.tolist() == [[[4, 5], [0, 1]], [[2, 3], [0, 0]]]


def test_cells_without_an_icon_have_no_fidelity() -> None:
    """Numbers of icons go to their cells, NaN to all others."""
    found = spread_to_cells(np.array([0.5, 0.7], np.float32), np.array([3, 1]), 4)
    assert np.array_equal(found, np.array([np.nan, 0.7, np.nan, 0.5], np.float32), equal_nan=True)
