import warnings

import numpy as np
import pytest
from scipy.spatial import cKDTree

from pipeline.config.reduce import ReduceSettings
from pipeline.reduce.umap import Curve, fit_curve, fuzzy_union, membership_strengths

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
    from umap import umap_  # it warns that its optional Keras model is missing


def test_the_graph_is_umap_learn_s() -> None:
    """The same neighbors give the same graph as umap-learn, with ties and equal points."""
    generator = np.random.default_rng(0)
    points = generator.normal(size=(300, 5))
    points[10:14] = points[10]  # zero distances
    distances, indices = (
        found.astype(kind)
        for found, kind in zip(cKDTree(points).query(points, 12), (np.float32, np.int32), strict=True)
    )
    own = np.arange(300, dtype=np.int32)
    for row in own:  # the tree may list a duplicate first
        place = np.flatnonzero(indices[row] == row)
        swap = place[0] if len(place) else 11
        indices[row, swap], indices[row, 0] = indices[row, 0], row
    expected, _, _ = umap_.fuzzy_simplicial_set(
        points, 12, np.random.RandomState(0), "euclidean", knn_indices=indices, knn_dists=distances
    )
    found = fuzzy_union(indices[:, 1:], membership_strengths(distances[:, 1:], 12))
    np.testing.assert_allclose(found.toarray(), expected.toarray(), atol=2e-4)


def test_memberships_add_up() -> None:
    """Memberships fall from 1 at the nearest neighbor, and add up to log2 of UMAP's ``n_neighbors``."""
    distances = np.sort(np.random.default_rng(0).gamma(3, size=(50, 15)).astype(np.float32), axis=1)
    found = membership_strengths(distances, 16)
    np.testing.assert_allclose(found.sum(axis=1), 4, atol=1e-3)
    assert (found[:, 0] == 1).all()
    assert (np.diff(found, axis=1) <= 0).all()


@pytest.mark.parametrize("min_dist", [0.0, 0.01, 0.1, 0.3, 0.99])
def test_the_curve_is_umap_learn_s(min_dist: float) -> None:
    """The fitted a and b are umap-learn's to the last bit; those of another distance differ."""
    settings = ReduceSettings(min_dist=min_dist)
    assert fit_curve(settings) == Curve(*map(float, umap_.find_ab_params(1.0, min_dist)))
    assert fit_curve(settings) != fit_curve(ReduceSettings(min_dist=0.5))
