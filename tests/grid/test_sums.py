import numpy as np
import pytest

from pipeline.core.cells import assign_cells, parents
from pipeline.core.moments import grouped_sums
from pipeline.grid.sums import MAX_RUN, GroupSums, add_rows, coarser, half_products, image_half, reliability


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


@pytest.mark.parametrize("groups", [1, 7, 900, 5000])
def test_rows_are_added_to_their_groups(groups: int) -> None:
    """Each group gets its rows, on top of what it had, whether groups are large, small or mostly empty."""
    generator = np.random.default_rng(groups)
    rows = generator.gamma(1, size=(5000, 3)).astype(np.float32)
    group = generator.integers(0, groups, 5000)
    sums = np.ones((groups + 1, 3))
    add_rows(sums, rows, group)
    expected = np.ones((groups + 1, 3))
    np.add.at(expected, group, rows.astype(np.float64))
    np.testing.assert_allclose(sums, expected, rtol=2e-6)
    np.testing.assert_array_equal(sums[groups], 1)


def test_a_large_group_loses_no_more_than_a_short_sum() -> None:
    """A large value costs the rows of its own run at most: in float32, 400,000 ones added to 2^24 would be lost."""
    rows = np.ones((400_001, 1), np.float32)
    rows[0] = 2**24
    assert rows.cumsum(dtype=np.float32)[-1] == 2**24  # the negative control
    sums = np.zeros((1, 1))
    add_rows(sums, rows, np.zeros(400_001, np.int32))
    assert abs(sums[0, 0] - (2**24 + 400_000)) < MAX_RUN


def test_rows_of_no_group_are_left_out() -> None:
    """Rows of a negative group are added nowhere."""
    sums = np.zeros((2, 1))
    add_rows(sums, np.array([[1], [2], [4], [8]], np.float32), np.array([1, -1, 0, 1]))
    np.testing.assert_array_equal(sums, [[4], [9]])


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_large_and_small_groups_are_summed_together(dtype: str) -> None:
    """Groups of very many, of few and of no rows all get the sum of their rows, whatever blocks the rows come in."""
    generator = np.random.default_rng(0)
    group = np.concatenate([np.zeros(20 * MAX_RUN, int), np.full(MAX_RUN + 1, 5), generator.integers(10, 400, 5000)])
    group = generator.permutation(group)
    rows = generator.gamma(1, size=(len(group), 3)).astype(dtype)
    sums = np.zeros((401, 3), np.float32)
    adder = GroupSums(sums, group)
    for start in range(0, len(group), 777):
        adder.add(rows[start : start + 777], group[start : start + 777])
    adder.finish()
    expected = np.zeros((401, 3))
    np.add.at(expected, group, rows.astype(np.float64))
    np.testing.assert_allclose(sums, expected, rtol=2e-6)
    assert (np.bincount(group, minlength=401)[[1, 400]] == 0).all()
    np.testing.assert_array_equal(sums[[1, 400]], 0)


def test_a_large_group_of_many_blocks_loses_no_more_than_a_short_sum() -> None:
    """A large value that comes first costs the rows of its own run at most, though sums are kept in float32."""
    sums, group = np.zeros((2, 1), np.float32), np.zeros(400_001, np.int32)
    rows = np.ones((400_001, 1), np.float32)
    rows[0] = 2**24
    adder = GroupSums(sums, group)
    for start in range(0, len(rows), 50_000):
        adder.add(rows[start : start + 50_000], group[start : start + 50_000])
    adder.finish()
    assert abs(float(sums[0, 0]) - (2**24 + 400_000)) <= MAX_RUN


def test_coarser_cells_add_four() -> None:
    """Sums of a coarse level from the fine one equal sums taken anew."""
    generator = np.random.default_rng(0)
    coarse, fine = assign_cells(generator.random((300, 2)), (10, 20))
    rows = generator.normal(size=(300, 2, 3))
    taken = [
        np.stack([rows[level.of_point == i].sum(axis=0) for i in range(len(level.cell))]) for level in (coarse, fine)
    ]
    added = coarser(taken[1], parents(fine, coarse), len(coarse.cell))
    np.testing.assert_allclose(added, taken[0], atol=1e-12)


def found_reliability(sums: np.ndarray, counts: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Reliability of cells, with the channels in two slices."""
    pieces = [half_products(sums[:, :, part], counts, mean[part]) for part in (slice(0, 1), slice(1, None))]
    return reliability(pieces[0] + pieces[1], counts)


def test_cosines_are_centered() -> None:
    """Halves on the same side of the mean agree, on opposite sides they do not; the mean itself has no side."""
    mean = np.array([10.0, 10.0])
    some = mean + np.array([[1, 0], [1, 0], [1, 0], [0, 0]])
    others = mean + np.array([[5, 0], [-1, 0], [0, 3], [1, 0]])
    found = found_reliability(np.stack([some, others], axis=1), np.ones((4, 2)), mean)
    np.testing.assert_allclose(found, [1, -1, 0, 0], atol=1e-12)


def test_reliability_tells_agreement_from_chance() -> None:
    """Halves that agree score 1, opposite halves -1; a cell with one half has no reliability."""
    mean = np.array([2.0, 2.0])
    first = mean + np.array([[1, 0], [1, 0], [1, 1]])
    second = mean + np.array([[3, 0], [-1, 0], [0, 0]])
    counts = np.array([[2, 4], [1, 1], [3, 0]])
    sums = np.stack([first, second], axis=1) * counts[:, :, None]
    np.testing.assert_allclose(found_reliability(sums, counts, mean), [1, -1, np.nan])
