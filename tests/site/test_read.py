from pathlib import Path

import numpy as np

from pipeline.core.artifacts import ACTIVATIONS
from pipeline.core.zarr_store import create, open_artifact, write_array
from pipeline.site.read_artifacts import read_class_directions


def test_without_labels_a_sample_belongs_to_its_top_class(tmp_path: Path) -> None:
    """The largest positive attribution gives a sample's class; one with none above zero belongs to no class."""
    activation = np.array([[4, 0], [2, 0], [0, 6], [9, 9], [-3, 5]], np.float32)
    attribution = np.array([[2, 1, -1], [1, 0, 0], [-1, 3, 2], [0, 0, 0], [-5, -4, -0.1]], np.float32)
    positions = np.zeros((5, 2), np.int32)
    path = tmp_path / "layer.zarr"
    with create(ACTIVATIONS, path, {}, {}) as group:
        write_array(group, ACTIVATIONS, "activation", activation)
        write_array(group, ACTIVATIONS, "attribution", attribution)
        write_array(group, ACTIVATIONS, "image", np.arange(5))
        write_array(group, ACTIVATIONS, "position", positions)
    found = read_class_directions(open_artifact(ACTIVATIONS, path), np.full(5, -1), 3)
    mean = activation.mean(axis=0)
    for class_, samples in enumerate(([0, 1], [2])):
        expected = activation[samples].mean(axis=0) - mean
        np.testing.assert_allclose(found[class_], expected / np.linalg.norm(expected), atol=1e-3)
    assert np.isnan(found[2]).all()
