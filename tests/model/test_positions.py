import numpy as np
import pytest

from pipeline.images.crops import relative_positions
from pipeline.model.positions import map_positions

DIGESTS = [f"{i:064x}" for i in range(400)]


def test_a_place_depends_on_seed_digest_and_number_alone() -> None:
    """Adding images, dropping images or asking for more places moves no place."""
    all_of_them = relative_positions(7, DIGESTS, 8)
    np.testing.assert_array_equal(relative_positions(7, DIGESTS[5:6], 8)[0], all_of_them[5])
    np.testing.assert_array_equal(relative_positions(7, DIGESTS, 3), all_of_them[:, :3])
    assert not np.array_equal(relative_positions(8, DIGESTS, 8), all_of_them)


def test_places_are_uniform() -> None:
    """Every tenth of both axes holds a tenth of the places."""
    places = relative_positions(0, DIGESTS, 25).reshape(-1, 2)
    for axis in range(2):
        shares = np.histogram(places[:, axis], bins=10, range=(0, 1))[0] / len(places)
        np.testing.assert_allclose(shares, 0.1, atol=0.015)


@pytest.mark.parametrize("side", [1, 2, 3, 7, 14])
def test_the_border_is_symmetric_and_small_maps_keep_all(side: int) -> None:
    """Positions fill the interior evenly up to the same distance on all sides; maps without interior are used whole."""
    places = relative_positions(1, DIGESTS, 50)
    positions = map_positions(places, side, side, border=1)
    low, high = (1, side - 2) if side > 2 else (0, side - 1)
    for axis in range(2):
        np.testing.assert_array_equal(np.unique(positions[..., axis]), np.arange(low, high + 1))


def test_layers_have_the_same_place() -> None:
    """Relative to its map a sample lies at the same place of every layer, within one position."""
    places = relative_positions(2, DIGESTS, 4)
    fine, coarse = map_positions(places, 28, 28, 0) / 28, map_positions(places, 7, 7, 0) / 7
    assert np.abs(fine - coarse).max() < 1 / 7
