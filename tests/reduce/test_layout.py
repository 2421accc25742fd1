import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from pipeline.config.reduce import ReduceSettings
from pipeline.reduce import knn, pca
from pipeline.reduce.layout import compute_layout
from pipeline.reduce.rows import Rows
from pipeline.reduce.stage import run
from tests.reduce.clusters import CLUSTERS, clustered
from tests.reduce.planted import plant, task, xy

METHODS = ["umap", "tsne", "pca"]
ENGINES = [("umap", "builtin"), ("umap", "umap_learn"), ("umap", "torchdr"), ("tsne", "builtin"), ("tsne", "torchdr")]
SMALL = {"neighbors": 12, "perplexity": 12.0, "epochs": 60, "iterations": 100}


def layout(activations: np.ndarray, settings: ReduceSettings, seed: int) -> np.ndarray:
    """Coordinates of the rows of an array."""
    return compute_layout(Rows(activations), settings, seed).coordinates


def settings(method: str, **values: object) -> ReduceSettings:
    """Settings that suit a few hundred points."""
    return ReduceSettings.model_validate({"method": method, "neighbors": 15, "perplexity": 15.0, **values})


def hits(points: np.ndarray, labels: np.ndarray) -> float:
    """Share of the 10 nearest points that have the point's own label."""
    nearest = cKDTree(points).query(points, 11)[1][:, 1:]
    return float((labels[nearest] == labels[:, None]).mean())


@pytest.mark.parametrize(("name", "engine"), ENGINES)
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_planted_clusters_are_found(name: str, engine: str, metric: str) -> None:
    """Points of one planted cluster are near each other, by every engine; random points are not."""
    activations, labels = clustered()
    points = layout(activations, settings(name, engine=engine, metric=metric), 0)
    assert points.shape == (len(activations), 2)
    assert hits(points, labels) > 0.95
    at_random = np.random.default_rng(0).random(points.shape)
    assert hits(at_random, labels) < 2 / CLUSTERS


def test_pca_finds_the_planted_plane() -> None:
    """Activations in a plane keep their distances, and the direction of larger variance comes first."""
    generator = np.random.default_rng(0)
    planted = generator.normal(size=(200, 2)) * (5, 1)
    axes = np.linalg.qr(generator.normal(size=(8, 2)))[0]
    activations = (planted @ axes.T + 3).astype(np.float32)
    points = pca.embed(Rows(activations))
    np.testing.assert_allclose(np.abs(np.corrcoef(points.T, planted.T)[:2, 2:]), np.eye(2), atol=0.2)
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    np.testing.assert_allclose(distances, np.linalg.norm(planted[:, None] - planted, axis=2), atol=1e-4)


@pytest.mark.parametrize(("name", "engine"), [*ENGINES, ("pca", "builtin")])
def test_the_seed_determines_the_layout(name: str, engine: str) -> None:
    """The same seed gives the same bytes; another seed gives another UMAP, and PCA uses no random numbers."""
    activations, _ = clustered()
    chosen = settings(name, engine=engine, epochs=30, iterations=50)
    first = layout(activations, chosen, 0)
    assert first.tobytes() == layout(activations, chosen, 0).tobytes()
    if name == "umap":
        assert first.tobytes() != layout(activations, chosen, 1).tobytes()
    if name == "pca":
        assert first.tobytes() == layout(activations, chosen, 1).tobytes()


@pytest.mark.parametrize(("name", "engine"), [*((name, "builtin") for name in METHODS), ("umap", "umap_learn")])
def test_one_dimension_is_enough(name: str, engine: str) -> None:
    """Activations that differ in one channel only still get finite coordinates."""
    activations = np.zeros((120, 4), np.float32)
    activations[:, 0] = 1
    activations[:, 1] = np.linspace(0.1, 3, 120)
    points = layout(activations, settings(name, engine=engine, epochs=20, iterations=20), 0)
    assert np.isfinite(points).all()
    assert len(np.unique(points, axis=0)) > 100


def test_one_channel_has_a_plane() -> None:
    """The samples of a layer with one channel lie on a line of the PCA plane."""
    points = pca.embed(Rows(np.arange(5, dtype=np.float32)[:, None]))
    np.testing.assert_allclose(points, [[-2, 0], [-1, 0], [0, 0], [1, 0], [2, 0]])


@pytest.mark.parametrize(("method", "engine"), [("umap", "builtin"), ("umap", "umap_learn"), ("tsne", "builtin")])
@pytest.mark.parametrize("dimensions", [1, 2])
def test_placed_points_are_among_their_cluster(method: str, engine: str, dimensions: int) -> None:
    """Points placed later are among landmarks of their own cluster; shuffled they would not be."""
    activations, labels = clustered()
    # on a line clusters must pass through each other; after few epochs how far they have come depends on the rounding
    # of the processor
    steps = SMALL if dimensions == 2 else {**SMALL, "epochs": 1000}
    settings = ReduceSettings.model_validate({"method": method, "engine": engine, "fit_samples": 150, **steps})
    layout = compute_layout(Rows(activations), settings, 0, dimensions)
    assert layout.coordinates.shape == (300, dimensions)
    assert layout.is_landmark.sum() == 150
    landmarks, placed = layout.coordinates[layout.is_landmark], layout.coordinates[~layout.is_landmark]
    nearest = np.linalg.norm(placed[:, None] - landmarks, axis=2).argmin(axis=1)
    share = (labels[layout.is_landmark][nearest] == labels[~layout.is_landmark]).mean()
    assert share > (0.95 if dimensions == 2 else 0.4)
    assert hits(np.random.default_rng(0).permutation(layout.coordinates), labels) < 0.3


def test_the_seed_determines_the_landmarks() -> None:
    """The same seed gives the same landmarks and bytes, another seed others; an unreached limit has no effect."""
    rows = Rows(clustered()[0])

    def laid_out(limit: int | None, seed: int = 0) -> tuple[bytes, bytes]:
        settings = ReduceSettings.model_validate({"fit_samples": limit, **SMALL})
        found = compute_layout(rows, settings, seed)
        return found.coordinates.tobytes(), found.is_landmark.tobytes()

    assert laid_out(150) == laid_out(150)
    assert laid_out(150)[1] != laid_out(150, 1)[1]
    assert laid_out(300) == laid_out(None)
    assert laid_out(299)[0] != laid_out(None)[0]


def test_the_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One and four threads give the same bytes, for landmarks and for placed points."""
    rows = Rows(np.repeat(clustered()[0], 4, axis=0) + np.random.default_rng(0).random((1200, 20), dtype=np.float32))
    monkeypatch.setattr(knn, "QUERY_BLOCK", 50)
    before = torch.get_num_threads()
    found = []
    try:
        for count in (1, 4):
            torch.set_num_threads(count)
            found.append(
                compute_layout(rows, ReduceSettings.model_validate({"fit_samples": 700, "components": 8, **SMALL}), 0)
            )
    finally:
        torch.set_num_threads(before)
    assert found[0].coordinates.tobytes() == found[1].coordinates.tobytes()


def test_pca_needs_no_landmarks() -> None:
    """A linear layout projects every point, whatever the limit on landmarks."""
    rows = Rows(clustered()[0])
    few, all_ = (compute_layout(rows, ReduceSettings(method="pca", fit_samples=limit), 0) for limit in (20, None))
    np.testing.assert_array_equal(few.coordinates, all_.coordinates)
    assert few.is_landmark.all()


def test_the_stage_measures_landmarks_and_placed_points(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both get the same measures, in the metrics and in the log; equal samples still have the same coordinates."""
    run(task(plant(tmp_path), "reduce.fit_samples=120"))
    metrics = json.loads((tmp_path / "metrics/reduce/early/all.json").read_text())
    assert metrics["landmarks"] == 120
    for group in ("landmarks", "placed"):
        assert metrics[f"trustworthiness_10_{group}"] > 0.8
        assert metrics[f"continuity_10_{group}"] > 0.8
    assert "120 landmarks laid out, the rest placed among them" in capsys.readouterr().err
    layout = xy(tmp_path)
    np.testing.assert_array_equal(layout[10], layout[110])
    run(task(tmp_path, "reduce.fit_samples=null"))
    assert "placed" not in capsys.readouterr().err


def test_too_few_landmarks_are_refused() -> None:
    """The number of landmarks has to suffice for the method."""
    with pytest.raises(ValueError, match="fit_samples: expected at least 21 for umap, found 15"):
        ReduceSettings(fit_samples=15)
