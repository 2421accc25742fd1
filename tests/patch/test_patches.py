import numpy as np
import zarr
from zarr.storage import MemoryStore

from pipeline.core.grid_levels import GridLevel
from pipeline.images.crops import Crop, crop_around
from pipeline.patch.paste import pasted_side
from pipeline.patch.patches import cell_scores, ranked_exemplars

SOURCE, TARGET = 2, 0


def cells() -> GridLevel:
    """Six cells of a level of four; classes 0, 1 and 2."""
    place = np.array([[0, 3], [1, 3], [0, 2], [2, 3], [3, 0], [3, 3]])
    attribution = np.array([[2, 9, 1], [4, 0, 1], [9, 0, 1], [1, 0, 2], [8, 0, 0], [50, 0, 0]], np.float32)
    drawn = np.array([True, True, True, True, True, False])
    exemplar = np.array([[5, 6, -1], [7, 5, 8], [9, -1, -1], [10, 11, 12], [13, 14, 15], [16, 17, 18]])
    group = zarr.create_group(store=MemoryStore())
    for name, values in {"cell": place, "drawn": drawn, "attribution": attribution, "exemplar": exemplar}.items():
        group.create_array(name, data=values)
    return GridLevel(4, group)


def test_scores_are_distance_times_attribution_difference() -> None:
    """A score is the distance toward the target's end times the difference of attributions; all others are 0."""
    scores = cell_scores(cells(), SOURCE, TARGET, rightwards=True)
    np.testing.assert_allclose(scores, [0.75 * 1, 0.75 * 3, 0.25 * 8, 0, 0, 0])


def test_the_other_end_is_the_other_direction() -> None:
    """Leftwards the same cells count from the left edge."""
    scores = cell_scores(cells(), SOURCE, TARGET, rightwards=False)
    np.testing.assert_allclose(scores, [0, 0, 0, 0, 0.75 * 8, 0])


def test_exemplars_come_from_the_best_cells_first_and_once() -> None:
    """Samples follow their cells' scores and their own ranks; a sample of two cells comes with the better cell."""
    found = list(ranked_exemplars([cells()], SOURCE, TARGET, rightwards=True))
    assert [exemplar.sample for exemplar in found] == [7, 5, 8, 9, 6]
    assert [exemplar.cell for exemplar in found] == [(1, 3), (1, 3), (1, 3), (0, 2), (0, 3)]
    assert found[0].score == 2.25


def test_a_square_lies_around_its_position_and_inside() -> None:
    """The middle position gives the middle square, a border position one that is shifted inside."""
    assert crop_around((3, 3), (7, 7), 20, 70) == Crop(25, 25, 20)
    assert crop_around((0, 6), (7, 7), 30, 70) == Crop(40, 0, 30)
    assert pasted_side(0.25, 64) == 16
