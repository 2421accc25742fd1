import numpy as np
import pytest
import torch

from pipeline.reduce import approximate, centres, neighbours
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
    indices, squared = nearest_among(rows[:40], rows[40:], 7, seed=0, exact_points=1000)
    table = all_distances(rows[:40], rows[40:])
    np.testing.assert_allclose(squared, np.sort(table, axis=1)[:, :7], rtol=1e-4)
    np.testing.assert_allclose(squared, np.take_along_axis(table, indices.astype(np.int64), axis=1), rtol=1e-4)


def shared(some: np.ndarray, others: np.ndarray) -> float:
    """Share of neighbours [n, count] that both searches found."""
    return float(np.mean([len(set(one) & set(other)) / len(one) for one, other in zip(some, others, strict=True)]))


def test_approximate_neighbours() -> None:
    """Above the limit nearly all of the exact neighbours are found; those of other rows would not do."""
    points = np.random.default_rng(0).normal(size=(3000, 8)).astype(np.float32)
    exact, _ = nearest_others(points, 10, seed=0, exact_points=3000)
    found, squared = nearest_others(points, 10, seed=0, exact_points=10)
    assert shared(exact, found) > 0.97
    assert shared(exact, np.roll(found, 1, axis=0)) < 0.1
    assert (found != np.arange(3000)[:, None]).all()
    assert (np.diff(squared, axis=1) >= 0).all()
    exact, _ = nearest_among(points[:500], points[500:], 10, seed=0, exact_points=3000)
    found, _ = nearest_among(points[:500], points[500:], 10, seed=0, exact_points=10)
    assert shared(exact, found) > 0.9


def test_approximate_neighbours_of_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seed alone decides which neighbours an approximate search finds, however many threads share its blocks."""
    for module in (approximate, centres):
        monkeypatch.setattr(module, "BLOCK", 100)
    points = np.random.default_rng(1).normal(size=(2000, 8)).astype(np.float32)
    found = [nearest_others(points, 6, seed=0, exact_points=10)[0] for _ in range(2)]
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        found += [nearest_others(points, 6, seed=0, exact_points=10)[0]]
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_far_cells_are_asked_when_near_ones_hold_too_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A point in a cell of its own still finds as many neighbours as are wanted, each once."""
    monkeypatch.setattr(approximate, "PROBES", 1)
    points = np.random.default_rng(2).normal(size=(200, 3)).astype(np.float32) ** 3 * 10
    indices, _ = nearest_others(points, 40, seed=0, exact_points=10)
    assert indices.min() >= 0
    assert all(len(set(row)) == 40 for row in indices.tolist())


def test_many_points_at_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that holds most points is searched piece by piece, and each point still finds as many others."""
    monkeypatch.setattr(approximate, "POINTS", 64)
    points = np.random.default_rng(3).normal(size=(1500, 4)).astype(np.float32)
    points[:1000] = points[0]
    indices, squared = nearest_others(points, 12, seed=0, exact_points=10)
    assert all(len(set(row)) == 12 for row in indices.tolist())
    assert (indices != np.arange(1500)[:, None]).all()
    assert squared[:1000].max() == 0
    assert indices[:1000].max() < 1000


def test_no_point_is_its_own_neighbour() -> None:
    """Not even where other rows differ from it by rounding only."""
    rows = np.full((50, 3), 1000, np.float32)
    rows[:, 0] += np.arange(50, dtype=np.float32) * 1e-4
    indices, _ = nearest_others(rows, 5, seed=0, exact_points=1000)
    assert indices.shape == (50, 5)
    assert indices.min() >= 0
    assert (indices != np.arange(50)[:, None]).all()
