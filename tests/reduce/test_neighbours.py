import numpy as np
import pytest

from pipeline.reduce import neighbours
from pipeline.reduce.neighbours import Metric, nearest
from tests.reduce.clusters import clustered


def all_distances(rows: np.ndarray, metric: Metric) -> np.ndarray:
    """Distances between all pairs in float64, the own one infinite."""
    wide = rows.astype(np.float64)
    if metric == "cosine":
        wide /= np.linalg.norm(wide, axis=1, keepdims=True)
        distances = 1 - wide @ wide.T
    else:
        distances = np.linalg.norm(wide[:, None] - wide, axis=2)
    np.fill_diagonal(distances, np.inf)
    return np.asarray(distances)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("queries", [64, 16384])
def test_exact_neighbours(metric: Metric, queries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are those of a brute-force search, nearest first, in blocks of any size."""
    monkeypatch.setattr(neighbours, "QUERIES", queries)
    rows, _ = clustered()
    indices, distances = nearest(rows, 12, metric, seed=0, exact_points=1000)
    expected = np.sort(all_distances(rows, metric), axis=1)[:, :12]
    np.testing.assert_allclose(distances, expected, rtol=1e-3, atol=1e-6)
    found = np.take_along_axis(all_distances(rows, metric), indices.astype(np.int64), axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_approximate_neighbours(metric: Metric) -> None:
    """Above the limit nearly all of the exact neighbours are found, and the search repeats."""
    rows, _ = clustered()
    exact, _ = nearest(rows, 10, metric, seed=0, exact_points=1000)
    found, _ = nearest(rows, 10, metric, seed=0, exact_points=10)
    again, _ = nearest(rows, 10, metric, seed=0, exact_points=10)
    np.testing.assert_array_equal(found, again)
    shared = [len(set(some) & set(others)) / 10 for some, others in zip(exact, found, strict=True)]
    assert np.mean(shared) > 0.9


def test_no_point_is_its_own_neighbour() -> None:
    """Not even where other rows differ from it by rounding only."""
    rows = np.full((50, 3), 1000, np.float32)
    rows[:, 0] += np.arange(50, dtype=np.float32) * 1e-4
    indices, _ = nearest(rows, 5, "euclidean", seed=0, exact_points=1000)
    assert indices.shape == (50, 5)
    assert (indices != np.arange(50)[:, None]).all()


def test_cosine_of_tiny_and_huge_rows() -> None:
    """Lengths that overflow or vanish when squared do not matter."""
    rows, _ = clustered()
    scale = np.where(np.arange(len(rows)) % 2, 1e-30, 1e30).astype(np.float32)[:, None]
    np.testing.assert_allclose(
        neighbours.prepared(rows * scale, "cosine"), neighbours.prepared(rows, "cosine"), rtol=1e-5, atol=1e-7
    )
