import numpy as np
import pytest

from pipeline.core.cells import nested_levels
from pipeline.core.statistics import grouped_sums
from pipeline.grid.sums import centred_cosine, coarser, image_half, reliability


@pytest.mark.parametrize("period", [1, 2, 5, 10, 64])
def test_halves_are_balanced_within_any_regular_order(period: int) -> None:
    """Of images that come back every ``period`` rows, about half are in either half."""
    halves = image_half(np.arange(20_000))
    assert set(np.unique(halves)) == {0, 1}
    for first in range(min(period, 5)):
        assert halves[first::period].mean() == pytest.approx(0.5, abs=0.1)


def test_sums_do_not_depend_on_the_blocks() -> None:
    """Rows summed block by block, in any order of points, equal the sums of all."""
    generator = np.random.default_rng(0)
    rows, group = generator.normal(size=(500, 4)), generator.integers(0, 30, 500)
    order = generator.permutation(500)
    blocks = [(points, rows[points]) for points in np.split(order, [1, 100, 333])]
    expected = np.stack([rows[group == index].sum(axis=0) for index in range(31)])
    np.testing.assert_allclose(grouped_sums(blocks, group, 31, 4), expected, atol=1e-12)


def test_small_values_beside_large_ones_are_not_lost() -> None:
    """Sums run in float64: a million ones added to 2^24 in float32 would be lost."""
    rows = np.ones((100_001, 1), np.float32)
    rows[0] = 2**24
    blocks = [(np.arange(100_001), rows)]
    assert grouped_sums(blocks, np.zeros(100_001, np.int64), 1, 1)[0, 0] == 2**24 + 100_000


def test_coarser_cells_add_four() -> None:
    """Sums of a coarse level from the fine one equal sums taken anew."""
    generator = np.random.default_rng(0)
    coarse, fine = nested_levels(generator.random((300, 2)), (10, 20))
    rows = generator.normal(size=(300, 2, 3))
    taken = [
        np.stack([rows[level.of_point == i].sum(axis=0) for i in range(len(level.cell))]) for level in (coarse, fine)
    ]
    np.testing.assert_allclose(coarser(taken[1], fine, coarse), taken[0], atol=1e-12)


def test_cosines_are_centred() -> None:
    """Two vectors on the same side of the mean agree, on opposite sides they do not; the mean itself has no side."""
    mean = np.array([10.0, 10.0])
    some = mean + np.array([[1, 0], [1, 0], [1, 0], [0, 0]])
    others = mean + np.array([[5, 0], [-1, 0], [0, 3], [1, 0]])
    np.testing.assert_allclose(centred_cosine(some, others, mean), [1, -1, 0, 0], atol=1e-12)


def test_reliability_tells_agreement_from_chance() -> None:
    """Halves that agree score 1, opposite halves -1; a cell with one half has no reliability."""
    mean = np.array([2.0, 2.0])
    first = mean + np.array([[1, 0], [1, 0], [1, 1]])
    second = mean + np.array([[3, 0], [-1, 0], [0, 0]])
    counts = np.array([[2, 4], [1, 1], [3, 0]])
    sums = np.stack([first, second], axis=1) * counts[:, :, None]
    np.testing.assert_allclose(reliability(sums, counts, mean), [1, -1, np.nan])
