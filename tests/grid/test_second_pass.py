import numpy as np
import pytest

from pipeline.core.cells import nested_levels
from pipeline.grid.second_pass import cosines_to_means, exemplars, spread


@pytest.fixture
def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places, activations and images of 400 samples, five from each image."""
    generator = np.random.default_rng(0)
    return generator.random((400, 2)), generator.gamma(1, size=(400, 6)).astype(np.float32), np.arange(400) // 5


def test_cosines_equal_a_plain_computation(scene: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Each sample's centred cosine to its cell's mean, at each level, in blocks of any order."""
    xy, rows, _ = scene
    levels = nested_levels(xy, (5, 10))
    mean = rows.mean(axis=0, dtype=np.float64)
    means = [np.stack([rows[level.of_point == i].mean(axis=0) for i in range(len(level.cell))]) for level in levels]
    order = np.random.default_rng(1).permutation(400)
    found = cosines_to_means([(order[:7], rows[order[:7]]), (order[7:], rows[order[7:]])], levels, means, mean)
    for index, level in enumerate(levels):
        left, right = rows - mean, means[index][level.of_point] - mean
        expected = (left * right).sum(axis=1) / np.linalg.norm(left, axis=1) / np.linalg.norm(right, axis=1)
        np.testing.assert_allclose(found[index], expected, atol=1e-5)


def test_a_pure_cell_is_told_from_a_mixed_one() -> None:
    """A cell of one planted direction has hardly any spread, a cell of many directions much, all zero included."""
    generator = np.random.default_rng(0)
    pure = np.eye(8)[0] * 4 + generator.normal(scale=0.1, size=(40, 8))
    mixed = np.eye(8)[generator.integers(0, 8, 40)] * 4
    zero, elsewhere = np.zeros((40, 8)), np.eye(8)[np.repeat(np.arange(8), 5)] * 4
    rows = np.concatenate([pure, mixed, zero, elsewhere]).astype(np.float32)
    xy = np.repeat([[0.1, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.9]], 40, axis=0)
    (level,) = nested_levels(xy, (2,))
    means = [rows.reshape(4, 40, 8).mean(axis=1)]
    found = spread(cosines_to_means([(np.arange(160), rows)], [level], means, rows.mean(axis=0))[0], level)
    assert found[0] < 0.01
    assert found[1] > 0.5
    assert found[2] < 1e-6  # all-zero samples agree: after centring they all lie at minus the mean


def test_samples_without_a_direction_count_as_unlike() -> None:
    """A sample that equals the layer's mean has cosine 0, hence spread 1, and no division by zero is heard."""
    rows = np.ones((4, 3), np.float32)
    (level,) = nested_levels(np.full((4, 2), 0.5), (1,))
    cosines = cosines_to_means([(np.arange(4), rows)], [level], [rows[:1]], rows[0].astype(np.float64))
    np.testing.assert_array_equal(cosines, 0)
    np.testing.assert_array_equal(spread(cosines[0], level), 1)


def test_exemplars_are_the_nearest_of_different_images(scene: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """They are what a slow search finds: the best sample of each image, best first, -1 where images run out."""
    xy, _, image = scene
    (level,) = nested_levels(xy, (6,))
    generator = np.random.default_rng(2)
    cosines = generator.random(400).astype(np.float32).round(1)  # many ties
    sample = generator.permutation(1000)[:400]
    found = exemplars(cosines, level, sample, image, 8)
    short = 0
    for index in range(len(level.cell)):
        members = np.flatnonzero(level.of_point == index)
        ranked = sorted(members, key=lambda point: (-cosines[point], sample[point]))
        chosen: dict[int, int] = {}
        for point in ranked:
            chosen.setdefault(int(image[point]), int(sample[point]))
        expected = (list(chosen.values()) + [-1] * 8)[:8]
        assert found[index].tolist() == expected
        short += -1 in expected
    assert 0 < short < len(level.cell)
