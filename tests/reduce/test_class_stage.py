from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import nn

from pipeline.config.model import PreprocessingSettings
from pipeline.core.artifacts import ACTIVATIONS, LAYOUT, MODEL
from pipeline.core.errors import ArtifactError, DataError
from pipeline.core.zarr_store import array, create, open_artifact, write_array
from pipeline.model.network import Network, save_network
from pipeline.reduce.stage import run
from pipeline.stages import Task
from tests.reduce.clusters import CLUSTERS, clustered
from tests.reduce.planted import POSITIONS, plant, task

METHODS = ["umap", "tsne", "pca", "umap reduce.engine=umap_learn"]
NAMES = (*(f"cluster {number}" for number in range(CLUSTERS)), "never")


def plant_classes(outputs: Path) -> None:
    """One class for each cluster of activations, and one without positive attributions."""
    activations, labels = clustered()
    generator = np.random.default_rng(2)
    attribution = generator.normal(-1, 0.3, (len(labels), len(NAMES))).astype(np.float32).clip(max=-0.01)
    attribution[np.arange(len(labels)), labels] = generator.uniform(0.5, 2, len(labels))
    for layer in ("early", "late"):
        with create(ACTIVATIONS, ACTIVATIONS.path(outputs, layer), {}, {}) as group:
            write_array(group, ACTIVATIONS, "activation", activations)
            write_array(group, ACTIVATIONS, "attribution", attribution)
            write_array(group, ACTIVATIONS, "image", np.arange(len(labels)) // POSITIONS)


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """A planted run with a network that has a name for every class."""
    plant(tmp_path)
    plant_classes(tmp_path)
    network = Network("n", nn.Linear(1, 1), NAMES, PreprocessingSettings(crop=16), {})
    save_network(MODEL.path(tmp_path), network, {"_target_": "torch.nn.Identity"}, {})
    return tmp_path


def of(outputs: Path, atlas: str, *overrides: str) -> Task:
    """One execution of ``reduce`` for another atlas."""
    base = task(outputs, "selection.min_samples=30", *overrides)
    return Task(base.stage, base.params, outputs, "early", atlas)


def stored(outputs: Path, atlas: str) -> tuple[NDArray[np.int64], NDArray[np.float32], dict[str, float]]:
    """Samples, positions and axis of a stored layout."""
    group = open_artifact(LAYOUT, LAYOUT.path(outputs, "early", atlas))
    axis: dict[str, float] = group.attrs.get("axis", {})  # type: ignore[assignment]  # any JSON
    return np.asarray(array(group, "sample")[:]), np.asarray(array(group, "xy")[:]), axis


@pytest.mark.parametrize("method", METHODS)
def test_a_class_atlas_holds_the_samples_of_its_class(outputs: Path, method: str) -> None:
    """The atlas of a class holds the samples with a positive attribution to it, each once, over the whole square."""
    _, labels = clustered()
    run(of(outputs, "class-2", *f"reduce={method}".split()))
    sample, xy, axis = stored(outputs, "class-2")
    np.testing.assert_array_equal(sample, np.flatnonzero(labels == 2))
    assert xy.shape == (len(sample), 2)
    assert (xy.std(axis=0) > 0.1).all()
    assert not axis


@pytest.mark.parametrize("method", METHODS)
def test_a_comparison_separates_its_classes(outputs: Path, method: str) -> None:
    """The left class is left, the right one right, in the order of the attribution difference; y varies."""
    _, labels = clustered()
    run(of(outputs, "compare-4-1", *f"reduce={method}".split()))
    sample, xy, axis = stored(outputs, "compare-4-1")
    group = open_artifact(ACTIVATIONS, ACTIVATIONS.path(outputs, "early"))
    attribution = np.asarray(array(group, "attribution")[:])[sample]
    assert set(labels[sample]) == {1, 4}
    assert (xy[labels[sample] == 4, 0] < 0.5).all()
    assert (xy[labels[sample] == 1, 0] > 0.5).all()
    assert spearmanr(xy[:, 0], attribution[:, 1] - attribution[:, 4]).statistic > 0.999
    assert xy[:, 1].std() > 0.15
    assert (axis["left"], axis["right"]) == (4, 1)
    assert axis["scale"] > 0


def test_a_comparison_with_exchanged_classes_is_mirrored(outputs: Path) -> None:
    """Exchanged classes mirror the atlas from left to right, and nothing else changes."""
    for atlas in ("compare-4-1", "compare-1-4"):
        run(of(outputs, atlas, "reduce=pca"))
    (one, xy, _), (other, mirrored, _) = stored(outputs, "compare-4-1"), stored(outputs, "compare-1-4")
    np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(xy, mirrored * (-1, 1) + (1, 0), atol=1e-6)


@pytest.mark.parametrize("atlas", ["class-6", "compare-6-1", "compare-1-6"])
def test_a_class_without_samples_is_named(outputs: Path, atlas: str) -> None:
    """A class without samples is an error with its name and its number of samples."""
    with pytest.raises(DataError, match=r"class never at layer early: expected at least 30 samples .*, found 0;"):
        run(of(outputs, atlas))
    assert not LAYOUT.path(outputs, "early", atlas).exists()


def test_too_few_samples_are_counted(outputs: Path) -> None:
    """The error for a class with fewer samples than required gives their number."""
    with pytest.raises(DataError, match=r"cluster 3 .* at least 51 samples .*, found 50"):
        run(of(outputs, "class-3", "selection.min_samples=51"))


def test_without_attributions_there_is_no_class_atlas(tmp_path: Path) -> None:
    """Where attributions were not recorded, the error of a class atlas names them."""
    with pytest.raises(ArtifactError, match="attribution"):
        run(of(plant(tmp_path), "class-2"))
