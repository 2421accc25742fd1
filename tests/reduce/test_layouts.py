import numpy as np
import pytest
from scipy.spatial import cKDTree

from pipeline.config.reduce import ReduceSettings
from pipeline.reduce.laid import lay_out
from pipeline.reduce.pca import layout as pca_layout
from pipeline.reduce.rows import Rows
from tests.reduce.clusters import CLUSTERS, clustered

METHODS = ["umap", "tsne", "pca"]


def layout(activations: np.ndarray, settings: ReduceSettings, seed: int) -> np.ndarray:
    """Places of the rows of an array."""
    return lay_out(Rows(activations), settings, seed).places


def settings(method: str, **values: object) -> ReduceSettings:
    """Settings that suit a few hundred points."""
    return ReduceSettings.model_validate({"method": method, "neighbours": 15, "perplexity": 15.0, **values})


def hits(points: np.ndarray, labels: np.ndarray) -> float:
    """Share of the 10 nearest points that have the point's own label."""
    nearest = cKDTree(points).query(points, 11)[1][:, 1:]
    return float((labels[nearest] == labels[:, None]).mean())


@pytest.mark.parametrize("name", METHODS[:2])
@pytest.mark.parametrize("engine", ["own", "torchdr"])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_planted_clusters_come_out(name: str, engine: str, metric: str) -> None:
    """Points of one planted cluster lie together, by either engine; thrown at random they do not."""
    activations, labels = clustered()
    points = layout(activations, settings(name, engine=engine, metric=metric), 0)
    assert points.shape == (len(activations), 2)
    assert hits(points, labels) > 0.95
    at_random = np.random.default_rng(0).random(points.shape)
    assert hits(at_random, labels) < 2 / CLUSTERS


def test_pca_finds_the_planted_plane() -> None:
    """Activations in a plane keep their distances, and the wider direction comes first."""
    generator = np.random.default_rng(0)
    planted = generator.normal(size=(200, 2)) * (5, 1)
    axes = np.linalg.qr(generator.normal(size=(8, 2)))[0]
    activations = (planted @ axes.T + 3).astype(np.float32)
    points = pca_layout(Rows(activations))
    np.testing.assert_allclose(np.abs(np.corrcoef(points.T, planted.T)[:2, 2:]), np.eye(2), atol=0.2)
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    np.testing.assert_allclose(distances, np.linalg.norm(planted[:, None] - planted, axis=2), atol=1e-4)


@pytest.mark.parametrize(
    ("name", "engine"), [*((name, "own") for name in METHODS), ("umap", "torchdr"), ("tsne", "torchdr")]
)
def test_the_seed_decides(name: str, engine: str) -> None:
    """The same seed gives the same bytes; another seed gives another UMAP, and PCA has no chance in it."""
    activations, _ = clustered()
    chosen = settings(name, engine=engine, epochs=30, iterations=50)
    first = layout(activations, chosen, 0)
    assert first.tobytes() == layout(activations, chosen, 0).tobytes()
    if name == "umap":
        assert first.tobytes() != layout(activations, chosen, 1).tobytes()
    if name == "pca":
        assert first.tobytes() == layout(activations, chosen, 1).tobytes()


@pytest.mark.parametrize("name", METHODS)
def test_one_dimension_is_enough(name: str) -> None:
    """Activations that differ in one channel only still get finite places."""
    activations = np.zeros((120, 4), np.float32)
    activations[:, 0] = 1
    activations[:, 1] = np.linspace(0.1, 3, 120)
    points = layout(activations, settings(name, epochs=20, iterations=20), 0)
    assert np.isfinite(points).all()
    assert len(np.unique(points, axis=0)) > 100


def test_one_channel_has_a_plane() -> None:
    """A layer of a single channel lies on a line of the PCA plane."""
    points = pca_layout(Rows(np.arange(5, dtype=np.float32)[:, None]))
    np.testing.assert_allclose(points, [[-2, 0], [-1, 0], [0, 0], [1, 0], [2, 0]])
