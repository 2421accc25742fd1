import numpy as np
import pytest

from pipeline.config.reduce import Metric
from pipeline.reduce.rows import Rows
from pipeline.reduce.space import prepared, search_space
from tests.reduce.clusters import clustered


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
    """Without a limit, or with one that is no limit, distances are those of the metric."""
    rows, _ = clustered()
    points = search_space(Rows(rows), metric, components)
    assert points.dtype == np.float32
    np.testing.assert_allclose(squared(points), metric_distances(rows, metric), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_activations_of_few_dimensions_need_few_components(metric: Metric) -> None:
    """Activations in four dimensions of forty are held by five components, cosine or not; two do not hold them."""
    generator = np.random.default_rng(0)
    rows = (generator.gamma(1, size=(400, 4)) @ generator.random((4, 40)) + 1e-3).astype(np.float32)
    expected = metric_distances(rows, metric)
    error = {
        kept: np.abs(squared(search_space(Rows(rows), metric, kept)) - expected).mean() / expected.mean()
        for kept in (2, 5)
    }
    assert error[5] < 1e-3
    assert error[2] > 10 * error[5]


def test_halves_are_read_as_singles() -> None:
    """Activations stored as float16 give the space of their values."""
    rows = clustered()[0].astype(np.float16)
    expected = search_space(Rows(rows.astype(np.float32)), "cosine", 5)
    np.testing.assert_array_equal(search_space(Rows(rows), "cosine", 5), expected)


def test_cosine_of_tiny_and_huge_rows() -> None:
    """Lengths that overflow or vanish when squared do not matter."""
    rows, _ = clustered()
    scale = np.where(np.arange(len(rows)) % 2, 1e-30, 1e30).astype(np.float32)[:, None]
    np.testing.assert_allclose(prepared(rows * scale, "cosine"), prepared(rows, "cosine"), rtol=1e-5, atol=1e-7)
