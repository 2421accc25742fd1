import numpy as np
import pytest

from pipeline.site.polysemantic_cells import MIN_SAMPLES, class_overlap, class_profiles, polysemantic_cells

CLASSES, CELLS = 12, 40


def pairs(*given: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The classes of each pair."""
    one, other = np.array(given).T
    return one, other


def test_a_class_is_where_its_images_are() -> None:
    """With enough labeled samples they give a class's distribution, else its positive attribution does."""
    attribution = np.array([[1.0, -3, 0], [3, 1, 0], [-9, 1, 0]], np.float32)
    count = np.array([30, 10, 10])
    labeled = np.array([[MIN_SAMPLES, 0, MIN_SAMPLES], [1, 0, 0], [0, 0, 0]])
    found = class_profiles(attribution, count, labeled)
    np.testing.assert_allclose(found[0], [0.5, 0, 0.5])
    np.testing.assert_allclose(found[1], [0, 0.5, 0.5])
    assert np.isnan(found[2]).all()
    np.testing.assert_allclose(class_profiles(attribution, count, None)[0], [0.5, 0.5, 0])


def test_the_layer_where_two_classes_overlap_most_counts() -> None:
    """Equal distributions overlap by 1 and disjoint ones by 0; of two layers the larger overlap is taken."""
    early = np.array([[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0.2, 0.8]], np.float32)
    late = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    at = pairs((0, 1), (0, 2), (1, 1))
    np.testing.assert_allclose(class_overlap([early, late], *at, in_memory=4), [1, 0.2, 1])
    np.testing.assert_allclose(class_overlap([late], *at), [0, 0, 1])
    unknown = np.full((3, 3), np.nan, np.float32)
    assert np.isnan(class_overlap([unknown, late], *at)).all()


def test_a_planted_polysemantic_cell_is_found() -> None:
    """A cell strong for two classes that look unlike is listed; one strong for near duplicates is not."""
    generator = np.random.default_rng(1)
    profile = np.zeros((CLASSES, CELLS), np.float32)
    profile[np.arange(CLASSES), np.arange(CLASSES)] = 1
    profile[:, 30] += 0.05
    profile[3] = profile[2]
    profile[8] = np.nan
    profile /= profile.sum(axis=1, keepdims=True)
    attribution = generator.normal(-1, 0.1, (CELLS, CLASSES)).astype(np.float32)
    attribution[np.arange(CLASSES), np.arange(CLASSES)] = 2.0
    attribution[20, [5, 9]] = 1.8
    attribution[21, [2, 3]] = 1.9
    attribution[22, [4, 7]] = 2.0
    attribution[23, [7, 8]] = 1.9
    drawn = np.ones(CELLS, bool)
    drawn[22] = False
    found = polysemantic_cells(attribution, drawn, [profile])
    assert list(found.cell) == [20]
    assert set(found.classes[0]) == {5, 9}
    np.testing.assert_allclose(found.value, [[1.8, 1.8]])
    assert found.overlap[0] == pytest.approx(0.05 / 1.05)
    weak = (attribution / 1000).astype(np.float32)
    assert not len(polysemantic_cells(weak, drawn, [profile]).cell), "they add next to nothing"
