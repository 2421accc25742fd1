import numpy as np

from pipeline.site.polysemantic_cells import class_directions, polysemantic_cells

CLASSES, CELLS = 12, 40


def test_class_directions_are_those_of_the_means() -> None:
    """The direction of a class points from the layer's mean to the mean of its samples; one without any has none."""
    generator = np.random.default_rng(0)
    rows, label = generator.normal(2, 1, (300, 9)).astype(np.float32), generator.integers(-1, 4, 300)
    blocks = ((np.arange(start, start + 100), rows[start : start + 100]) for start in (0, 100, 200))
    mean = rows.mean(axis=0)
    found = class_directions(blocks, label, 5, mean)
    for class_ in range(4):
        expected = rows[label == class_].mean(axis=0) - mean
        np.testing.assert_allclose(found[class_], expected / np.linalg.norm(expected), atol=1e-5)
    assert np.isnan(found[4]).all()


def test_a_planted_polysemantic_cell_is_found() -> None:
    """A cell strong for two dissimilar classes is listed; one strong for two similar classes is not."""
    generator = np.random.default_rng(1)
    directions = np.linalg.qr(generator.normal(size=(16, CLASSES)))[0].T.astype(np.float32)
    directions[3] = directions[2]
    attribution = generator.normal(-1, 0.1, (CELLS, CLASSES)).astype(np.float32)
    attribution[np.arange(CLASSES), np.arange(CLASSES)] = 2.0
    attribution[20, [5, 9]] = 1.8
    attribution[21, [2, 3]] = 1.9
    attribution[22, [4, 7]] = 2.0
    drawn = np.ones(CELLS, bool)
    drawn[22] = False
    found = polysemantic_cells(attribution, drawn, directions)
    assert list(found.cell) == [20]
    assert set(found.classes[0]) == {5, 9}
    np.testing.assert_allclose(found.value, [[1.8, 1.8]])
    np.testing.assert_allclose(found.distance, 1, atol=1e-5)


def test_classes_without_a_direction_are_left_out() -> None:
    """Where the similarity of classes is not known, no cell is listed."""
    attribution = np.ones((CELLS, CLASSES), np.float32)
    assert not len(
        polysemantic_cells(attribution, np.ones(CELLS, bool), np.full((CLASSES, 4), np.nan, np.float32)).cell
    )
