import numpy as np
import pytest

from pipeline.core.cells import assign_cells
from pipeline.grid.cell_assignment import assign_samples, nested_order
from pipeline.grid.exemplars import cosines_to_means, spread


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1; those of length 0 stay as they are."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0), np.float32)


def cosines(rows: np.ndarray, xy: np.ndarray, sizes: tuple[int, ...], inside: np.ndarray) -> np.ndarray:
    """Cosines [level, sample] of the samples ``inside`` to the means of their cells."""
    placed = assign_samples([(inside, xy[inside])], len(rows), sizes)
    mean = rows.mean(axis=0)
    means = [
        np.stack([rows[inside][level.of_point[placed.label[inside]] == i].mean(axis=0) for i in range(len(level.cell))])
        for level in placed.levels
    ]
    return cosines_to_means(rows, placed.label, placed.ancestors, unit(np.concatenate(means) - mean), mean)


@pytest.mark.parametrize("count", [1, 3, 400, 4000])
def test_cosines_equal_a_plain_computation(count: int) -> None:
    """Each sample's centered cosine to its cell's mean, at each level; 0 for samples that are not in the atlas."""
    generator = np.random.default_rng(0)
    xy, rows = generator.random((count, 2)), generator.gamma(1, size=(count, 6)).astype(np.float32)
    inside = np.sort(generator.permutation(count)[: max(1, count - count // 3)])
    found = cosines(rows, xy, (5, 10, 20), inside)
    mean = rows.mean(axis=0)
    for index, level in enumerate(assign_cells(xy[inside], (5, 10, 20))):
        for cell in range(len(level.cell)):
            members = inside[level.of_point == cell]
            left, right = rows[members] - mean, rows[members].mean(axis=0) - mean
            norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right)
            expected = np.divide(left @ right, norms, out=np.zeros_like(norms), where=norms > 0)
            np.testing.assert_allclose(found[index, members], expected, atol=2e-5)
    np.testing.assert_array_equal(np.delete(found, inside, axis=1), 0)
    assert count < 10 or np.abs(found).max() > 0.5


def test_samples_of_a_cell_follow_each_other_at_every_level() -> None:
    """In the order of the second pass no cell of any level is left and entered again; reading order does so."""
    levels = assign_cells(np.random.default_rng(0).random((3000, 2)), (5, 10, 20))
    cells = np.unique(np.stack([level.of_point for level in levels]), axis=1)
    ancestors = cells[:, np.argsort(cells[-1])]
    for wanted, order in ((True, np.argsort(nested_order(ancestors))), (False, np.arange(ancestors.shape[1]))):
        runs = (np.diff(ancestors[:, order], axis=1) != 0).sum(axis=1) + 1
        assert (list(runs) == [len(level.cell) for level in levels]) is wanted


def test_a_pure_cell_is_told_from_a_mixed_one() -> None:
    """A cell of one planted direction has hardly any spread, a cell of many directions much, all zero included."""
    generator = np.random.default_rng(0)
    pure = np.eye(8)[0] * 4 + generator.normal(scale=0.1, size=(40, 8))
    mixed = np.eye(8)[generator.integers(0, 8, 40)] * 4
    zero, elsewhere = np.zeros((40, 8)), np.eye(8)[np.repeat(np.arange(8), 5)] * 4
    rows = np.concatenate([pure, mixed, zero, elsewhere]).astype(np.float32)
    xy = np.repeat([[0.1, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.9]], 40, axis=0)
    (level,) = assign_cells(xy, (2,))
    found = spread(cosines(rows, xy, (2,), np.arange(160))[0], level.of_point, level.count)
    assert found[0] < 0.01
    assert found[1] > 0.5
    assert found[2] < 1e-6  # all-zero samples agree: after centring they all lie at minus the mean


def test_samples_without_a_direction_count_as_unlike() -> None:
    """A sample that equals the layer's mean has cosine 0, hence spread 1, and no division by zero is heard."""
    rows = np.ones((4, 3), np.float32)
    found = cosines(rows, np.full((4, 2), 0.5), (1,), np.arange(4))
    np.testing.assert_array_equal(found, 0)
    np.testing.assert_array_equal(spread(found[0], np.zeros(4, np.int64), np.array([4])), 1)
