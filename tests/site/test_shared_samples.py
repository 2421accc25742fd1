import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.core.cells import CellAssignment, assign_cells
from pipeline.core.site_data import images_by_cell
from pipeline.site.cell_data import SampleCells, label_counts, largest_share, shared_cells

POINTS = 500
RANDOM = np.random.default_rng


def level(seed: int, size: int = 8) -> CellAssignment:
    """A level with points strewn at random."""
    return assign_cells(RANDOM(seed).random((POINTS, 2)), [size])[0]


def test_images_come_in_the_order_of_the_finest_cells() -> None:
    """Each finest cell's stretch of the list has the images of its samples, and no others."""
    levels = assign_cells(RANDOM(0).random((POINTS, 2)), [4, 8])
    sample = RANDOM(1).permutation(2 * POINTS)[:POINTS]
    image = RANDOM(2).integers(0, 60, 2 * POINTS)
    listed = images_by_cell(levels[1].of_point, sample, image)
    ends = np.cumsum(levels[1].count)
    for cell, (end, count) in enumerate(zip(ends, levels[1].count, strict=True)):
        own = image[sample[levels[1].of_point == cell]]
        assert sorted(listed[end - count : end]) == sorted(own)


def test_labels_are_counted_per_cell() -> None:
    """Counts agree with counting by hand, and samples without a label are in none of them."""
    found, label = level(3), RANDOM(4).integers(-1, 5, POINTS)
    counts = label_counts(found, label, 5)
    for class_, cell in [(0, 0), (4, 7), (2, 30)]:
        assert counts[class_, cell] == ((label == class_) & (found.of_point == cell)).sum()
    assert counts.sum() == (label >= 0).sum()


def there(member: SampleCells, sample: NDArray[np.int64]) -> NDArray[np.int64]:
    """The other layer's cell of each of these samples."""
    return member.cell_of_sample(8, 2 * POINTS)[sample]


def test_cells_are_linked_to_those_that_hold_their_samples() -> None:
    """Links and shares agree with counting by hand; cells that are not drawn and samples not there are left out."""
    own, other = level(5), level(6)
    sample, other_sample = np.arange(POINTS), np.arange(100, 100 + POINTS)
    drawn = other.count >= 8
    member = SampleCells(other_sample, {8: other}, {8: drawn})
    cells, shares = shared_cells(own, there(member, sample), len(other.cell), 3)
    for cell in range(0, len(own.cell), 7):
        mine = sample[own.of_point == cell]
        hits = other.of_point[np.isin(other_sample, mine)]
        count = np.bincount(hits[drawn[hits]], minlength=len(other.cell))
        best = np.sort(count)[::-1][:3]
        np.testing.assert_allclose(shares[cell], best / len(mine), rtol=1e-6)
        listed = cells[cell][cells[cell] >= 0]
        np.testing.assert_array_equal(count[listed], best[best > 0])


@pytest.mark.parametrize("size", [2, 8])
def test_a_layout_is_linked_to_itself(size: int) -> None:
    """The same layout at another layer holds all of each cell's samples in the same cell."""
    own = level(7, size)
    member = SampleCells(np.arange(POINTS), {size: own}, {size: np.ones(len(own.cell), bool)})
    cells, shares = shared_cells(own, member.cell_of_sample(size, POINTS), len(own.cell), 3)
    np.testing.assert_array_equal(cells[:, 0], np.arange(len(own.cell)))
    assert (shares[:, 0] == 1).all()
    assert (cells[:, 1:] == -1).all()


def test_samples_without_a_drawn_cell_are_not_followed() -> None:
    """Where no sample of the cell has a drawn cell at the other layer, there is no cell to go to."""
    (own,) = assign_cells(np.array([[0.1, 0.1], [0.1, 0.1], [0.9, 0.9]]), [2])
    assert largest_share(own, 0, np.array([5, -1, 7])) == (5, 0.5)
    assert largest_share(own, 0, np.array([-1, -1, 7])) is None
