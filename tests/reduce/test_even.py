import numpy as np
import pytest
from scipy.spatial import cKDTree

from pipeline.reduce.even import spread_evenly


def crowded() -> np.ndarray:
    """Three dense islands in an empty square."""
    generator = np.random.default_rng(0)
    centres = np.array([[0.3, 0.3], [0.7, 0.4], [0.5, 0.8]])
    return np.clip(centres[np.arange(3000) % 3] + generator.normal(scale=0.05, size=(3000, 2)), 0, 1)


def filled(points: np.ndarray) -> float:
    """Share of the cells of a 20-level grid that hold a point."""
    return len(np.unique(np.minimum((points * 20).astype(int), 19), axis=0)) / 400


def test_spreading_fills_the_square() -> None:
    """The further the points go, the fewer cells stay empty, and nothing leaves the square."""
    points = crowded()
    shares = [filled(spread_evenly(points, share)) for share in (0, 0.3, 0.6, 1)]
    assert shares == sorted(shares)
    assert shares[0] < 0.4
    assert shares[-1] > 0.9
    assert spread_evenly(points, 1).min() >= 0
    assert spread_evenly(points, 1).max() <= 1


def test_zero_is_no_change() -> None:
    """A share of 0 gives the very same points."""
    np.testing.assert_array_equal(spread_evenly(crowded(), 0), crowded())


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_neighbours_stay_neighbours(share: float) -> None:
    """Most of the 10 nearest points are still among the 30 nearest; of shuffled points hardly any would be."""
    points = crowded()
    near = cKDTree(points).query(points, 11)[1][:, 1:]

    def kept(moved: np.ndarray) -> float:
        wide = cKDTree(moved).query(moved, 31)[1]
        return float(np.mean([len(set(some) & set(many)) / 10 for some, many in zip(near, wide, strict=True)]))

    assert kept(spread_evenly(points, share)) > 0.9
    assert kept(np.random.default_rng(0).permutation(points)) < 0.1
