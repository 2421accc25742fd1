import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from pipeline.config.reduce import Metric
from pipeline.reduce import quality as subject
from pipeline.reduce import rows
from pipeline.reduce.pca import embed
from pipeline.reduce.quality import LayoutSamples, measure_quality
from pipeline.reduce.rows import Rows
from tests.reduce.clusters import clustered


def measured(image: np.ndarray | None = None, label: np.ndarray | None = None, **changes: np.ndarray) -> LayoutSamples:
    """A PCA layout of the planted clusters, each point from an image of its own unless said otherwise."""
    activations, labels = clustered()
    xy = changes.get("xy", embed(Rows(activations)))
    image = np.arange(len(xy)) if image is None else image
    return LayoutSamples(Rows(activations), np.asarray(xy, np.float32), image, labels if label is None else label)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("k", [10, 50])
def test_trustworthiness_is_scikit_learns(metric: Metric, k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one point per image and every point a query, it is scikit-learn's measure; swapped, continuity is."""
    monkeypatch.setattr(subject, "QUERY_BLOCK", 70)
    monkeypatch.setattr(subject, "CANDIDATE_BLOCK", 64)
    monkeypatch.setattr(rows, "BLOCK", 90)
    points = measured()
    found = measure_quality(points, metric, queries=300, seed=0)
    expected = trustworthiness(points.activation.to_array(), points.xy, n_neighbors=k, metric=metric)
    assert found[f"trustworthiness_{k}"] == pytest.approx(expected, abs=1e-3)
    if metric == "euclidean":
        swapped = trustworthiness(points.xy, points.activation.to_array(), n_neighbors=k)
        assert found[f"continuity_{k}"] == pytest.approx(swapped, abs=1e-3)


def test_perfect_and_random_layouts() -> None:
    """The identity layout of a plane scores 1, a random layout about one half."""
    generator = np.random.default_rng(0)
    plane = generator.random((600, 2), dtype=np.float32)
    image, label = np.arange(600), np.zeros(600, np.int64)
    perfect = measure_quality(LayoutSamples(Rows(plane), plane, image, label), "euclidean", 200, 0)
    shuffled = measure_quality(
        LayoutSamples(Rows(plane), generator.permutation(plane), image, label), "euclidean", 200, 0
    )
    for name in ("trustworthiness_10", "continuity_10", "trustworthiness_50", "continuity_50"):
        assert perfect[name] == pytest.approx(1, abs=1e-6)
        assert shuffled[name] == pytest.approx(0.5, abs=0.05)


def test_neighbors_of_the_same_image_do_not_count() -> None:
    """Labels that only patches of one image share are no hits, however near the patches are."""
    generator = np.random.default_rng(0)
    image = np.repeat(np.arange(60), 5)
    places = generator.random((60, 2))[image] + generator.normal(scale=1e-3, size=(300, 2))
    label = image // 2  # every label has two images, far apart
    own = measure_quality(measured(image, label, xy=places), "cosine", 300, 0)["label_hits"]
    assert own is not None
    assert own < 0.1
    counted = measure_quality(measured(np.arange(300), label, xy=places), "cosine", 300, 0)["label_hits"]
    assert counted is not None
    assert counted > 0.35


def test_hits_of_planted_labels() -> None:
    """Compact clusters hit, in the layout and among the activations; random labels hit by chance."""
    _, labels = clustered()
    together = np.stack([labels % 3, labels // 3], axis=1) + np.random.default_rng(0).normal(scale=0.01, size=(300, 2))
    found = measure_quality(measured(xy=together), "cosine", 300, 0)
    assert found["label_hits"] == 1
    assert found["label_hits_activations"] is not None
    assert found["label_hits_activations"] > 0.95
    chance = measure_quality(
        measured(xy=together, label=np.random.default_rng(1).permutation(labels)), "cosine", 300, 0
    )
    assert chance["label_hits"] == pytest.approx(1 / 6, abs=0.04)


def test_undefined_measures_are_none() -> None:
    """With too few points of other images, or labels that no two images share, a measure is None."""
    alone = measure_quality(measured(label=np.arange(300)), "cosine", 300, 0)
    assert alone["label_hits"] is None
    assert alone["trustworthiness_50"] is not None
    unlabeled = measure_quality(measured(label=np.full(300, -1)), "cosine", 300, 0)
    assert unlabeled["label_hits"] is None
    one_image = measure_quality(measured(image=np.zeros(300, np.int64)), "cosine", 300, 0)
    assert set(one_image.values()) == {None}
    small = measured()
    few = LayoutSamples(small.activation.take(np.arange(40)), small.xy[:40], small.image[:40], small.label[:40])
    found = measure_quality(few, "cosine", 300, 0)
    assert found["trustworthiness_50"] is None
    assert found["trustworthiness_10"] is not None


def test_groups_are_measured_by_themselves() -> None:
    """A group with a random layout scores like chance, the others as before, each by its own name."""
    generator = np.random.default_rng(0)
    plane = generator.random((600, 2), dtype=np.float32)
    lost = np.arange(600) < 60
    xy = plane.copy()
    xy[lost] = generator.random((60, 2))
    groups = {"lost": lost, "kept": ~lost, "none": np.zeros(600, bool)}
    found = measure_quality(
        LayoutSamples(Rows(plane), xy, np.arange(600), np.zeros(600, np.int64), groups), "euclidean", 600, 0
    )
    assert found["trustworthiness_10_lost"] == pytest.approx(0.5, abs=0.1)
    kept = found["trustworthiness_10_kept"]
    assert kept is not None
    assert kept > 0.9
    assert found["trustworthiness_10_none"] is None
    whole = found["trustworthiness_10"]
    assert whole == pytest.approx(0.9 * kept + 0.1 * (found["trustworthiness_10_lost"] or 0))
