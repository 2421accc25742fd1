import numpy as np
from site_planting import LAYERS, LEVELS, Planted, cell_at

from pipeline.core.artifacts import IMAGES
from pipeline.images.manifest import read_manifest
from pipeline.site.polysemantic_cells import MIN_SAMPLES
from pipeline.site.read_artifacts import read_class_profiles


def test_profiles_are_those_of_the_planted_labels_and_attributions(planted: Planted) -> None:
    """A labeled class lies where its images' samples do, the others where they have attribution, at the given level."""
    label = read_manifest(planted.task.path(IMAGES)).class_
    samples = np.flatnonzero(label[planted.image] == 0)
    assert len(samples) > MIN_SAMPLES
    for finest, size in ((40, 40), (39, 20), (1, LEVELS[0])):
        found = read_class_profiles(planted.task, label, 12, finest)
        for layer, profile in zip(LAYERS, found, strict=True):
            level = planted.levels[layer, size]
            labeled = np.bincount(cell_at(level, planted.xy[layer][samples]), minlength=len(level.cell))
            np.testing.assert_allclose(profile[0], labeled / len(samples), atol=1e-6)
            positive = np.maximum(level.attribution[:, 1], 0) * level.count
            np.testing.assert_allclose(profile[1], positive / positive.sum(), atol=1e-6)
