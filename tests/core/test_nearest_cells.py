import numpy as np
import pytest

from pipeline.core import nearest_cells as nearest_cells_module
from pipeline.core.nearest_cells import nearest_cells

CHANNELS = 24


@pytest.fixture
def means() -> np.ndarray:
    """Means of ten cells in directions of their own, around a layer's mean that is much longer than what differs."""
    return np.float32(50) + np.random.default_rng(0).normal(size=(10, CHANNELS)).astype(np.float32)


def test_planted_cells_are_found(means: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """Noisy copies of cells' means fall in those cells, whatever the length and however many are compared at a time."""
    random = np.random.default_rng(1)
    center = means.mean(axis=0)
    planted = random.integers(0, len(means), 200)
    lengths = random.uniform(0.1, 20, (200, 1))
    noise = 0.3 * random.normal(size=(200, CHANNELS))
    new = (center + lengths * (means[planted] - center + noise)).astype(np.float32)
    found = nearest_cells(new, means, center)
    assert (found.cell == planted).mean() > 0.99
    assert found.similarity.min() > 0.7
    monkeypatch.setattr(nearest_cells_module, "PRODUCTS", 33)
    pieces = nearest_cells(new, means, center)
    assert (pieces.cell == found.cell).all()
    assert np.allclose(pieces.similarity, found.similarity, atol=1e-6)


def test_what_no_cell_resembles_has_a_low_similarity(means: np.ndarray) -> None:
    """Directions that no cell has are similar to none, although their raw cosine to all is close to 1."""
    center = means.mean(axis=0)
    cells = np.concatenate([means[:, : CHANNELS // 2], np.tile(center[CHANNELS // 2 :], (len(means), 1))], axis=1)
    foreign = np.tile(center, (50, 1))
    foreign[:, CHANNELS // 2 :] += np.random.default_rng(2).normal(size=(50, CHANNELS // 2))
    raw = (foreign @ cells.T) / np.linalg.norm(foreign, axis=1)[:, None] / np.linalg.norm(cells, axis=1)
    assert raw.min() > 0.99
    assert np.abs(nearest_cells(foreign.astype(np.float32), cells, center).similarity).max() < 0.01


def test_the_mean_of_the_layer_and_extremes(means: np.ndarray) -> None:
    """An activation that is the layer's mean has similarity 0; very large and very small numbers stay finite."""
    center = np.zeros(CHANNELS, np.float32)
    cells = means - np.float32(50)
    new = np.stack([center, cells[3] * np.float32(1e30), cells[4] * np.float32(1e-30)])
    found = nearest_cells(new, cells, center)
    assert found.similarity[0] == 0
    assert found.cell[1:].tolist() == [3, 4]
    assert found.similarity[1:] == pytest.approx([1, 1], abs=1e-5)
