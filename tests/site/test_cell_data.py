import numpy as np
import zarr

from pipeline.core.grid_levels import IconLevel
from pipeline.site.cell_data import (
    IconOrigin,
    attribution_strength,
    exemplar_positions,
    icon_origins,
    planes_per_block,
    top_classes,
)


def test_top_classes_are_the_largest() -> None:
    """The listed classes are the largest ones in falling order; equal ones come by their number."""
    attribution = np.array([[0.1, 3, -2, 3], [5, 0, 1, 2]], np.float32)
    classes, values = top_classes(attribution, 3)
    assert classes.tolist() == [[1, 3, 0], [0, 3, 2]]
    assert np.allclose(values, np.array([[3, 3, 0.1], [5, 2, 1]]))


def test_fewer_classes_than_asked_are_all_listed() -> None:
    """Two classes cannot fill a list of five, and no class at all gives an empty one."""
    assert top_classes(np.ones((3, 2), np.float32), 5)[0].shape == (3, 2)
    assert top_classes(np.ones((3, 0), np.float32), 5)[0].shape == (3, 0)


def test_strength_is_the_median_of_the_strongest() -> None:
    """A layer whose cells' strongest classes have 1, 2 and 9 logits has a strength of 2."""
    assert attribution_strength(np.array([[1, -8], [2, 0], [0, 9]], np.float32)) == 2
    assert attribution_strength(np.zeros((0, 5), np.float32)) == 0


def test_files_of_heat_stay_small() -> None:
    """A file never holds more than its limit, unless a single class does."""
    assert planes_per_block(100) * 100 <= 2**16
    assert planes_per_block(10**7) == 1


def test_exemplar_positions_are_those_of_the_samples() -> None:
    """Each exemplar gets its sample's image and position; where there is none, image -1."""
    image, position = np.array([7, 8, 9]), np.array([[0, 1], [2, 3], [4, 5]], np.int32)
    rows, positions = exemplar_positions(np.array([[2, 0], [1, -1]]), image, position)
    assert rows.tolist() == [[9, 7], [8, -1]]
    assert positions.tolist() == [[[4, 5], [0, 1]], [[2, 3], [0, 0]]]


def test_cells_without_an_icon_have_no_fidelity() -> None:
    """Numbers of icons go to their cells, NaN to all others."""
    icons = IconLevel(2, zarr.create_group({}))
    icons.group.create_array("cell", data=np.array([3, 1]))
    found = icons.by_cell(np.array([0.5, 0.7], np.float32), 4)
    assert np.array_equal(found, np.array([np.nan, 0.7, np.nan, 0.5], np.float32), equal_nan=True)


def key(number: int) -> bytes:
    """A key of an icon."""
    return number.to_bytes(32, "little")


def keys(*numbers: int) -> np.ndarray:
    """Keys as the icons keep them; 0 is none."""
    return np.frombuffer(b"".join(map(key, numbers)), np.uint8).reshape(-1, 32)


def test_keys_give_the_origin_of_icons() -> None:
    """An icon with a parent started from it, one of the coarser level's is that one, one without a key is unknown.

    A parent that is no icon of the coarser level is the patch of an exemplar.
    """
    found = icon_origins(keys(11, 12, 3, 0, 13), keys(1, 0, 0, 0, 77), keys(1, 2, 3, 0))
    known = [IconOrigin.PARENT, IconOrigin.NOISE, IconOrigin.SAME, IconOrigin.UNKNOWN, IconOrigin.EXEMPLAR]
    assert found.tolist() == known


def test_the_coarsest_level_comes_from_noise() -> None:
    """Without a coarser level no icon is that of another one; no icons give no origins."""
    assert icon_origins(keys(1, 2), keys(0, 0), keys()).tolist() == [IconOrigin.NOISE, IconOrigin.NOISE]
    assert icon_origins(keys(), keys(), keys(1)).tolist() == []
