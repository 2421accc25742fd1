import numpy as np
import pytest
from scipy.spatial import cKDTree

from pipeline.reduce.postprocess import (
    comparison_axis,
    equalize,
    equalize_line,
    flip_to_match,
    procrustes,
    to_unit_square,
)


@pytest.mark.parametrize("degrees", [0, 30, 90, 135, 180, 250])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_planted_rotation_is_undone(degrees: float, mirrored: bool) -> None:
    """A rotated or reflected noisy copy is aligned with its original, also when it is scaled."""
    generator = np.random.default_rng(0)
    original = generator.normal(size=(500, 2)) * (3, 1)
    original -= original.mean(axis=0)
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if mirrored:
        turn = turn @ np.diag([-1, 1])
    copy = original @ turn + (100, -7) + generator.normal(scale=0.05, size=original.shape)
    np.testing.assert_allclose(procrustes(copy, original + 5), original, atol=0.3)
    np.testing.assert_allclose(procrustes(copy * 9, original), original * 9, atol=2.7)


def test_alignment_keeps_distances() -> None:
    """A layout unrelated to the reference is rotated and not deformed."""
    generator = np.random.default_rng(1)
    points, reference = generator.normal(size=(2, 60, 2))
    before = np.linalg.norm(points[:, None] - points, axis=2)
    after = procrustes(points, reference)
    np.testing.assert_allclose(np.linalg.norm(after[:, None] - after, axis=2), before)


def test_both_margins_are_equal() -> None:
    """Without outliers the margin is the same on all four sides."""
    points = np.random.default_rng(0).uniform(-3, 40, size=(2000, 2)) * (1, 10)
    placed, outside = to_unit_square(points, percentile=0, margin=0.1)
    np.testing.assert_allclose(placed.min(axis=0), 0.1 / 1.2)
    np.testing.assert_allclose(placed.max(axis=0), 1.1 / 1.2)
    assert not outside.any()


@pytest.mark.parametrize("planted", [0, 7, 20])
def test_outliers_are_clipped_to_the_edge_and_counted(planted: int) -> None:
    """Planted far points are clipped to the edge, and no other point is."""
    points = np.random.default_rng(0).uniform(0, 1, size=(2000, 2))
    points[:planted, 0] = 50
    placed, outside = to_unit_square(points, percentile=2, margin=0.1)
    assert outside.sum() == planted
    np.testing.assert_array_equal(placed[:planted, 0], 1)
    assert placed[planted:].min() > 0
    assert placed[planted:].max() < 1


def test_a_flat_axis_is_in_the_middle() -> None:
    """Points that do not differ along an axis are at its middle; none of them is an outlier."""
    placed, outside = to_unit_square(np.stack([np.arange(5.0), np.full(5, 3.0)], axis=1), percentile=1, margin=0)
    np.testing.assert_array_equal(placed[:, 1], 0.5)
    assert not outside[1:4].any()


def crowded() -> np.ndarray:
    """Three dense islands in an empty square."""
    generator = np.random.default_rng(0)
    centers = np.array([[0.3, 0.3], [0.7, 0.4], [0.5, 0.8]])
    return np.clip(centers[np.arange(3000) % 3] + generator.normal(scale=0.05, size=(3000, 2)), 0, 1)


def filled(points: np.ndarray) -> float:
    """Share of the cells of a 20-level grid that hold a point."""
    return len(np.unique(np.minimum((points * 20).astype(int), 19), axis=0)) / 400


def test_equalizing_fills_the_square() -> None:
    """A larger share leaves fewer cells empty, and no point leaves the square."""
    points = crowded()
    shares = [filled(equalize(points, share)) for share in (0, 0.3, 0.6, 1)]
    assert shares == sorted(shares)
    assert shares[0] < 0.4
    assert shares[-1] > 0.9
    assert equalize(points, 1).min() >= 0
    assert equalize(points, 1).max() <= 1


def test_zero_is_no_change() -> None:
    """A share of 0 returns the same points."""
    np.testing.assert_array_equal(equalize(crowded(), 0), crowded())


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_neighbors_stay_neighbors(share: float) -> None:
    """Most of the 10 nearest points are still among the 30 nearest; of shuffled points hardly any are."""
    points = crowded()
    near = cKDTree(points).query(points, 11)[1][:, 1:]

    def kept(moved: np.ndarray) -> float:
        wide = cKDTree(moved).query(moved, 31)[1]
        return float(np.mean([len(set(some) & set(many)) / 10 for some, many in zip(near, wide, strict=True)]))

    assert kept(equalize(points, share)) > 0.9
    assert kept(np.random.default_rng(0).permutation(points)) < 0.1


def test_no_difference_is_in_the_middle() -> None:
    """Equal attributions are at exactly one half, larger ones to the right class to the right of it, in order."""
    difference = np.random.default_rng(0).gamma(1, size=400).astype(np.float32) - np.float32(0.3)
    difference[:7] = 0
    x, axis = comparison_axis(difference)
    assert (x[:7] == 0.5).all()
    assert (np.sign(x - 0.5) == np.sign(difference)).all()
    inside = np.abs(difference) <= axis.scale
    np.testing.assert_allclose((x[inside] - 0.5) * 2 * axis.scale, difference[inside], atol=1e-6)


def test_the_edges_are_the_99th_percentile() -> None:
    """One sample in a hundred is beyond the edges and is clipped to them."""
    difference = np.linspace(-1, 1, 1001).astype(np.float32)
    x, axis = comparison_axis(difference)
    np.testing.assert_allclose(axis.scale, 0.99, atol=0.002)
    assert abs(axis.clipped - 0.01) < 0.002
    assert (x.min(), x.max()) == (0, 1)


def test_samples_without_differences_are_in_the_middle() -> None:
    """Without any difference there is no scale to divide by, and every sample is in the middle."""
    x, axis = comparison_axis(np.zeros(5, np.float32))
    assert (x == 0.5).all()
    assert axis.clipped == 0


def test_a_line_is_flipped_to_match_its_reference() -> None:
    """A one-dimensional layout is flipped if it correlates negatively with the reference, and only then."""
    reference = np.arange(50.0)
    line = (reference**2 / 50)[:, None]
    for given in (line, -line):
        np.testing.assert_allclose(flip_to_match(given, reference), line - line.mean())


def test_equalizing_a_line_keeps_the_order() -> None:
    """A share of 1 fills the range uniformly in the order of the values; 0 leaves them as they are."""
    y = np.random.default_rng(0).random((200, 1)) ** 4
    np.testing.assert_array_equal(equalize_line(y, 0), y)
    np.testing.assert_allclose(np.sort(equalize_line(y, 1)[:, 0]), (np.arange(200) + 0.5) / 200)
    np.testing.assert_array_equal(np.argsort(equalize_line(y, 0.6)[:, 0]), np.argsort(y[:, 0]))
