import numpy as np
import pytest
import torch

from pipeline.config.reduce import Metric
from pipeline.reduce import ivf_knn, knn
from pipeline.reduce.knn import knn_graph, knn_query, knn_space, normalize_rows
from pipeline.reduce.rows import Rows
from tests.reduce.clusters import clustered


def all_distances(queries: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Squared distances between all pairs in float64."""
    gaps = queries.astype(np.float64)[:, None] - points.astype(np.float64)
    return np.asarray((gaps**2).sum(axis=2))


@pytest.mark.parametrize(("queries", "points"), [(256, 2048), (70, 33)])
def test_exact_neighbors(queries: int, points: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are those of a search of all pairs, nearest first, for any block size."""
    monkeypatch.setattr(knn, "QUERY_BLOCK", queries)
    monkeypatch.setattr(knn, "POINT_BLOCK", points)
    rows, _ = clustered()
    table = all_distances(rows, rows)
    np.fill_diagonal(table, np.inf)
    indices, squared = knn_graph(rows, 12, seed=0, exact_points=1000)
    expected = np.sort(table, axis=1)[:, :12]
    np.testing.assert_allclose(squared, expected, rtol=1e-4)
    np.testing.assert_allclose(np.take_along_axis(table, indices.astype(np.int64), axis=1), expected, rtol=1e-4)
    indices, squared = knn_query(rows[:40], rows[40:], 7, seed=0, exact_points=1000)
    table = all_distances(rows[:40], rows[40:])
    np.testing.assert_allclose(squared, np.sort(table, axis=1)[:, :7], rtol=1e-4)
    np.testing.assert_allclose(squared, np.take_along_axis(table, indices.astype(np.int64), axis=1), rtol=1e-4)


def shared(some: np.ndarray, others: np.ndarray) -> float:
    """Share of neighbors [n, k] that both searches found."""
    return float(np.mean([len(set(one) & set(other)) / len(one) for one, other in zip(some, others, strict=True)]))


def test_approximate_neighbors() -> None:
    """Above the limit nearly all exact neighbors are found; the neighbors of other rows would fail."""
    points = np.random.default_rng(0).normal(size=(3000, 8)).astype(np.float32)
    exact, _ = knn_graph(points, 10, seed=0, exact_points=3000)
    found, squared = knn_graph(points, 10, seed=0, exact_points=10)
    assert shared(exact, found) > 0.97
    assert shared(exact, np.roll(found, 1, axis=0)) < 0.1
    assert (found != np.arange(3000)[:, None]).all()
    assert (np.diff(squared, axis=1) >= 0).all()
    exact, _ = knn_query(points[:500], points[500:], 10, seed=0, exact_points=3000)
    found, _ = knn_query(points[:500], points[500:], 10, seed=0, exact_points=10)
    assert shared(exact, found) > 0.9


def test_approximate_neighbors_of_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The neighbors that an approximate search finds depend on the seed and not on the number of threads."""
    for block in ("REFINE_BLOCK", "ASSIGN_BLOCK"):
        monkeypatch.setattr(ivf_knn, block, 100)
    points = np.random.default_rng(1).normal(size=(2000, 8)).astype(np.float32)
    found = [knn_graph(points, 6, seed=0, exact_points=10)[0] for _ in range(2)]
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        found += [knn_graph(points, 6, seed=0, exact_points=10)[0]]
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_far_cells_are_searched_when_near_ones_hold_too_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A point alone in its cell still finds k neighbors, each once."""
    monkeypatch.setattr(ivf_knn, "PROBES", 1)
    points = np.random.default_rng(2).normal(size=(200, 3)).astype(np.float32) ** 3 * 10
    indices, _ = knn_graph(points, 40, seed=0, exact_points=10)
    assert indices.min() >= 0
    assert all(len(set(row)) == 40 for row in indices.tolist())


def test_many_equal_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that holds most points is searched in blocks, and each point still finds k others."""
    monkeypatch.setattr(ivf_knn, "POINT_BLOCK", 64)
    points = np.random.default_rng(3).normal(size=(1500, 4)).astype(np.float32)
    points[:1000] = points[0]
    indices, squared = knn_graph(points, 12, seed=0, exact_points=10)
    assert all(len(set(row)) == 12 for row in indices.tolist())
    assert (indices != np.arange(1500)[:, None]).all()
    assert squared[:1000].max() == 0
    assert indices[:1000].max() < 1000


def test_no_point_is_its_own_neighbor() -> None:
    """Even where other rows differ by rounding only, a point does not find itself."""
    rows = np.full((50, 3), 1000, np.float32)
    rows[:, 0] += np.arange(50, dtype=np.float32) * 1e-4
    indices, _ = knn_graph(rows, 5, seed=0, exact_points=1000)
    assert indices.shape == (50, 5)
    assert indices.min() >= 0
    assert (indices != np.arange(50)[:, None]).all()


def metric_distances(rows: np.ndarray, metric: Metric) -> np.ndarray:
    """Distances of the metric between all pairs in float64, as squared distances order them."""
    wide = rows.astype(np.float64)
    if metric == "cosine":
        wide /= np.linalg.norm(wide, axis=1, keepdims=True)
        return np.asarray(2 - 2 * wide @ wide.T)
    return np.asarray(((wide[:, None] - wide) ** 2).sum(axis=2))


def squared(points: np.ndarray) -> np.ndarray:
    """Squared distances between all points."""
    return np.asarray(((points[:, None].astype(np.float64) - points) ** 2).sum(axis=2))


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("components", [None, 20, 100])
def test_all_components_keep_all_distances(metric: Metric, components: int | None) -> None:
    """With all components the distances are those of the metric."""
    rows, _ = clustered()
    points = knn_space(Rows(rows), metric, components)
    assert points.dtype == np.float32
    np.testing.assert_allclose(squared(points), metric_distances(rows, metric), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_activations_of_few_dimensions_need_few_components(metric: Metric) -> None:
    """Five components keep activations of four dimensions among forty channels, two do not."""
    generator = np.random.default_rng(0)
    rows = (generator.gamma(1, size=(400, 4)) @ generator.random((4, 40)) + 1e-3).astype(np.float32)
    expected = metric_distances(rows, metric)
    error = {
        kept: np.abs(squared(knn_space(Rows(rows), metric, kept)) - expected).mean() / expected.mean()
        for kept in (2, 5)
    }
    assert error[5] < 1e-3
    assert error[2] > 10 * error[5]


def test_half_precision_gives_the_same_space() -> None:
    """Activations stored as float16 give the space of their values in float32."""
    rows = clustered()[0].astype(np.float16)
    expected = knn_space(Rows(rows.astype(np.float32)), "cosine", 5)
    np.testing.assert_array_equal(knn_space(Rows(rows), "cosine", 5), expected)


def test_cosine_of_tiny_and_huge_rows() -> None:
    """Norms that overflow or underflow when squared change nothing."""
    rows, _ = clustered()
    scale = np.where(np.arange(len(rows)) % 2, 1e-30, 1e30).astype(np.float32)[:, None]
    np.testing.assert_allclose(
        normalize_rows(rows * scale, "cosine"), normalize_rows(rows, "cosine"), rtol=1e-5, atol=1e-7
    )
