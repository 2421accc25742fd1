import numpy as np
import pytest

from pipeline.reduce.align import turned


@pytest.mark.parametrize("degrees", [0, 30, 90, 135, 180, 250])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_planted_turn_is_undone(degrees: float, mirrored: bool) -> None:
    """A rotated, perhaps reflected, noisy copy comes back onto its original; scaling it changes nothing of that."""
    generator = np.random.default_rng(0)
    original = generator.normal(size=(500, 2)) * (3, 1)
    original -= original.mean(axis=0)
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if mirrored:
        turn = turn @ np.diag([-1, 1])
    copy = original @ turn + (100, -7) + generator.normal(scale=0.05, size=original.shape)
    np.testing.assert_allclose(turned(copy, original + 5), original, atol=0.3)
    np.testing.assert_allclose(turned(copy * 9, original), original * 9, atol=2.7)


def test_distances_stay() -> None:
    """A layout that has nothing to do with the reference is turned, never bent."""
    generator = np.random.default_rng(1)
    points, reference = generator.normal(size=(2, 60, 2))
    before = np.linalg.norm(points[:, None] - points, axis=2)
    after = turned(points, reference)
    np.testing.assert_allclose(np.linalg.norm(after[:, None] - after, axis=2), before)
