"""The most similar cells of a cell."""

import numpy as np
import pytest
from site_planting import CLASS_ATLAS, Level, Planted, activation_of, mean_activation
from test_site_data import unpacked

from pipeline.core.site_data import read_data_script
from pipeline.site.cell_data import NEIGHBORS, IconOrigin, nearest_cells

CHANNELS = 24


def test_planted_families_are_found() -> None:
    """Cells made from one direction list each other, nearest first, however large the mean that all cells share is."""
    axes = np.linalg.qr(np.random.default_rng(0).normal(size=(CHANNELS, 4)))[0].T
    step = 0.02 * np.arange(5)[:, None]  # members turn away from the first of their family, one after the other
    families = np.concatenate([axes[0] + step * axes[1], axes[2] + step * axes[3]])
    mean = np.full(CHANNELS, 50, np.float32)
    activation = (3 * families + mean).astype(np.float32)
    found = nearest_cells(activation, np.ones(10, bool), mean, 4)
    assert found.cell[0].tolist() == [1, 2, 3, 4]
    assert found.cell[5].tolist() == [6, 7, 8, 9]
    np.testing.assert_allclose(found.cosine[0], 1 / np.hypot(1, step[1:, 0]), atol=5e-5)
    uncentered = nearest_cells(activation, np.ones(10, bool), np.zeros(CHANNELS, np.float32), 9)
    assert uncentered.cosine.min() > 0.99, "without centering all cells are similar"


@pytest.mark.parametrize("in_memory", [1, 37 * 5, 2**23])
def test_neighbors_are_those_of_a_plain_search(in_memory: int) -> None:
    """However many cosines are held at a time, the neighbors are those that sorting all cosines gives."""
    generator = np.random.default_rng(1)
    activation = generator.normal(1, 1, (37, CHANNELS)).astype(np.float32)
    drawn, mean = generator.random(37) < 0.7, activation.mean(axis=0)
    found = nearest_cells(activation, drawn, mean, in_memory=in_memory)
    unit = (activation - mean) / np.linalg.norm(activation - mean, axis=1, keepdims=True)
    cosine = np.where(drawn & ~np.eye(37, dtype=bool), unit @ unit.T, -2)
    order = np.argsort(-cosine, axis=1, kind="stable")[:, :NEIGHBORS]
    assert np.array_equal(found.cell[drawn], order[drawn])
    np.testing.assert_allclose(found.cosine[drawn], np.take_along_axis(cosine, order, 1)[drawn], atol=2e-5)
    assert (found.cell[~drawn] == -1).all()
    assert np.isnan(found.cosine[~drawn]).all()


def test_equal_neighbors_come_in_the_order_of_the_cells() -> None:
    """Where more cells are equally similar than are listed, the first ones are, whatever the blocks."""
    activation = np.ones((300, CHANNELS), np.float32)
    activation[0] = np.arange(CHANNELS)
    for in_memory in (300 * 7, 2**23):
        found = nearest_cells(activation, np.ones(300, bool), np.zeros(CHANNELS, np.float32), in_memory=in_memory)
        assert found.cell[0].tolist() == [1, 2, 3, 4, 5, 6]
        assert found.cell[2].tolist() == [1, 3, 4, 5, 6, 7]
        assert found.cell[299].tolist() == [1, 2, 3, 4, 5, 6]


def test_few_cells_leave_places_empty() -> None:
    """Three drawn cells have two neighbors each, a single one has none; the cosines of a cell at the mean are 0."""
    activation = np.eye(4, CHANNELS, dtype=np.float32)
    found = nearest_cells(activation, np.array([True, True, False, True]), activation[0])
    assert found.cell[1].tolist() == [3, 0, -1, -1, -1, -1]
    assert found.cosine[0, :2].tolist() == [0, 0]
    assert np.isnan(found.cosine[:, 2:]).all()
    assert (nearest_cells(activation[:1], np.ones(1, bool), activation[0]).cell == -1).all()


@pytest.mark.parametrize("atlas", ["all", CLASS_ATLAS])
def test_the_page_gets_the_neighbors_of_the_grid(planted: Planted, atlas: str) -> None:
    """The data file of a level lists the most similar cells of the planted activations."""
    layer = "features.7"
    levels = {key[-1]: value for key, value in planted.of_atlas.items() if key[:2] == (layer, atlas)}
    levels = levels or {size: level for (name, size), level in planted.levels.items() if name == layer}
    finest: Level = levels[max(levels)]
    level = levels[min(levels)]
    found = read_data_script(planted.site / f"data/{layer}/{atlas}/{level.size}/neighbors.js")
    activation = activation_of(layer, level.attribution)
    expected = nearest_cells(activation, level.drawn, mean_activation(layer, finest))
    assert np.array_equal(unpacked(found["cell"]), expected.cell)
    shown = np.nan_to_num(np.rint(100 * expected.cosine), nan=-127)
    assert np.array_equal(unpacked(found["hundredths"]), shown)


@pytest.mark.parametrize(("coarse", "size"), [(10, 20), (20, 40)])
def test_the_page_gets_the_origin_of_icons(planted: Planted, coarse: int, size: int) -> None:
    """Noise, the parent's icon or that very icon, as the planted keys say; unknown where nothing is drawn."""
    level, above = planted.levels["features.7", size], planted.levels["features.7", coarse]
    drawn = {tuple(place) for place in above.cell[above.drawn]}
    expected = np.full(len(level.cell), IconOrigin.UNKNOWN)
    for rank, cell in enumerate(np.flatnonzero(level.drawn)):
        within = tuple(level.cell[cell] * coarse // size) in drawn
        expected[cell] = (
            (IconOrigin.NOISE, IconOrigin.PARENT, IconOrigin.SAME)[rank % 3] if within else IconOrigin.NOISE
        )
    found = read_data_script(planted.site / f"data/features.7/all/{size}/neighbors.js")
    assert np.array_equal(unpacked(found["icon_origin"]), expected)
    assert len(set(expected.tolist())) == 4
