from pathlib import Path

import numpy as np
import pytest

from pipeline.core import moments as subject
from pipeline.core import zarr_store
from pipeline.core.artifacts import ACTIVATIONS


@pytest.fixture
def rows() -> np.ndarray:
    """Correlated activations far from zero, where one-pass sums of squares lose all digits."""
    generator = np.random.default_rng(0)
    mixing = generator.normal(size=(6, 6))
    values = generator.normal(size=(1000, 6)) @ mixing + 3000
    return np.asarray(values, dtype=np.float32)


@pytest.mark.parametrize("cuts", [[], [1], [300, 301, 800], list(range(50, 1000, 50))])
def test_blocks_give_the_statistics_of_the_whole(rows: np.ndarray, cuts: list[int]) -> None:
    """Mean and covariance equal NumPy's in float64, wherever the rows are cut."""
    found = subject.statistics(np.split(rows, cuts))
    whole = rows.astype(np.float64)
    assert found.count == len(rows)
    np.testing.assert_allclose(found.mean, whole.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(whole.T, bias=True), rtol=1e-9, atol=1e-9)


def test_empty_blocks_change_nothing(rows: np.ndarray) -> None:
    """A block without rows is passed over; no rows at all have no statistics."""
    some = subject.statistics([rows[:0], rows, rows[:0]])
    np.testing.assert_array_equal(some.covariance, subject.statistics([rows]).covariance)
    with pytest.raises(ValueError, match="no rows"):
        subject.statistics([rows[:0]])


def test_stored_activations(rows: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stored array is read in several blocks and gives the same statistics and mean."""
    monkeypatch.setattr(subject, "BLOCK_BYTES", 64 * rows.itemsize * rows.shape[1])
    with zarr_store.create(ACTIVATIONS, tmp_path / "a.zarr", {}, {}) as group:
        array = zarr_store.add_array(group, ACTIVATIONS, "activation", rows.shape, shard_rows=64, dtype="float32")
        array[...] = rows
    stored = zarr_store.array(zarr_store.open_artifact(ACTIVATIONS, tmp_path / "a.zarr"), "activation")
    assert len(subject.block_bounds(stored)) == 16
    np.testing.assert_array_equal(np.concatenate([block for _, block in subject.row_blocks(stored)]), rows)
    found = subject.layer_statistics(stored)
    np.testing.assert_allclose(found.covariance, np.cov(rows.T.astype(np.float64), bias=True), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(subject.layer_mean(stored), found.mean, rtol=1e-12)
    np.testing.assert_allclose(subject.channel_deviations(stored), rows.astype(np.float64).std(axis=0), rtol=1e-9)
