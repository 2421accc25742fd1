import numpy as np
import pytest

from pipeline.reduce import neighbours
from pipeline.reduce.neighbours import nearest_among, nearest_others
from tests.reduce.clusters import clustered


def all_distances(queries: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Squared distances between all pairs in float64."""
    gaps = queries.astype(np.float64)[:, None] - points.astype(np.float64)
    return np.asarray((gaps**2).sum(axis=2))


@pytest.mark.parametrize(("queries", "points"), [(256, 2048), (70, 33)])
def test_exact_neighbours(queries: int, points: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are those of a search of all pairs, nearest first, in blocks of any size."""
    monkeypatch.setattr(neighbours, "QUERIES", queries)
    monkeypatch.setattr(neighbours, "POINTS", points)
    rows, _ = clustered()
    table = all_distances(rows, rows)
    np.fill_diagonal(table, np.inf)
    indices, squared = nearest_others(rows, 12, seed=0, exact_points=1000)
    expected = np.sort(table, axis=1)[:, :12]
    np.testing.assert_allclose(squared, expected, rtol=1e-4)
    np.testing.assert_allclose(np.take_along_axis(table, indices.astype(np.int64), axis=1), expected, rtol=1e-4)
    indices, squared = nearest_among(rows[:40], rows[40:], 7)
    table = all_distances(rows[:40], rows[40:])
    np.testing.assert_allclose(squared, np.sort(table, axis=1)[:, :7], rtol=1e-4)
    np.testing.assert_allclose(squared, np.take_along_axis(table, indices.astype(np.int64), axis=1), rtol=1e-4)


def test_approximate_neighbours() -> None:
    """Above the limit nearly all of the exact neighbours are found, and the search repeats."""
    rows, _ = clustered()
    exact, _ = nearest_others(rows, 10, seed=0, exact_points=1000)
    found, _ = nearest_others(rows, 10, seed=0, exact_points=10)
    again, _ = nearest_others(rows, 10, seed=0, exact_points=10)
    np.testing.assert_array_equal(found, again)
    shared = [len(set(some) & set(others)) / 10 for some, others in zip(exact, found, strict=True)]
    assert np.mean(shared) > 0.9


def test_no_point_is_its_own_neighbour() -> None:
    """Not even where other rows differ from it by rounding only."""
    rows = np.full((50, 3), 1000, np.float32)
    rows[:, 0] += np.arange(50, dtype=np.float32) * 1e-4
    indices, _ = nearest_others(rows, 5, seed=0, exact_points=1000)
    assert indices.shape == (50, 5)
    assert indices.min() >= 0
    assert (indices != np.arange(50)[:, None]).all()
