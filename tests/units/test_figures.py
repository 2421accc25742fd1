import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.model.description import LayerShape
from pipeline.units.figures import cluster_patches, embedding_layer, nearest_unit


def around(*centers: tuple[float, ...], counts: tuple[int, ...], noise: float = 0.05) -> NDArray[np.float32]:
    """Embeddings around some centers."""
    random = np.random.default_rng(0)
    rows = [np.repeat(np.array([center]), count, axis=0) for center, count in zip(centers, counts, strict=True)]
    found = np.concatenate(rows)
    return (found + noise * random.normal(size=found.shape)).astype(np.float32)


MEAN = np.zeros(4, np.float32)


def test_planted_clusters_are_found() -> None:
    """Patches of two and of three kinds lie in two and three clusters, numbered by falling size; one kind in one."""
    two = cluster_patches(around((1, 0, 0, 0), (0, 1, 0, 0), counts=(4, 8)), MEAN)
    assert two.count == 2
    assert two.cluster.tolist() == [1] * 4 + [0] * 8
    assert two.silhouette > 0.8
    three = cluster_patches(around((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), counts=(6, 5, 4)), MEAN)
    assert three.cluster.tolist() == [0] * 6 + [1] * 5 + [2] * 4
    one = cluster_patches(around((1, 0, 0, 0), counts=(12,), noise=0.02), MEAN)
    assert np.isnan(one.silhouette) or one.silhouette < two.silhouette
    assert one.clarity > 0.95 > two.clarity


def test_a_single_odd_patch_is_no_cluster() -> None:
    """A cluster has at least three patches."""
    found = cluster_patches(around((1, 0, 0, 0), (0, 1, 0, 0), counts=(10, 2), noise=0.01), MEAN)
    assert np.bincount(found.cluster).min() >= 3


def test_clarity_is_the_mean_cosine() -> None:
    """Two orthogonal patches have 0, two equal ones 1, opposite ones -1; the mean is taken off first."""
    rows = np.array([[1, 0, 0, 0], [0, 1, 0, 0]], np.float32)
    assert cluster_patches(rows, MEAN).clarity == pytest.approx(0)
    assert cluster_patches(rows[[0, 0]], MEAN).clarity == pytest.approx(1)
    assert cluster_patches(rows, rows.mean(axis=0)).clarity == pytest.approx(-1)


def test_the_nearest_unit_is_another_one() -> None:
    """The highest correlation but that with itself; a layer of one channel has none."""
    channel, correlation = nearest_unit(np.array([0.2, 1.0, 0.7]), 1)
    assert (channel, correlation) == (2, 0.7)
    assert nearest_unit(np.array([1.0]), 0)[0] == -1


def test_the_embedding_is_no_layer_of_classes() -> None:
    """It is the deepest layer whose channels are not the classes, or the deepest one."""

    def shape(channels: int) -> LayerShape:
        return LayerShape("map", channels, 4, 4, 0, 4.0, 16)

    assert embedding_layer({"a": shape(8), "b": shape(16), "classifier": shape(10)}, 10) == "b"
    assert embedding_layer({"a": shape(10)}, 10) == "a"
