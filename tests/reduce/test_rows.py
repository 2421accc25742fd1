from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from pipeline.core import moments
from pipeline.reduce import rows as subject
from pipeline.reduce.rows import DistinctRows, Rows, distinct_rows, row_hashes

VALUES = np.random.default_rng(0).normal(size=(1000, 6)).astype(np.float16)
SOME = np.flatnonzero(np.random.default_rng(1).random(1000) < 0.1)


@pytest.fixture(params=["memory", "disk"])
def source(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> "np.ndarray | zarr.Array[Any]":
    """The values in memory, or on disk; in small blocks."""
    monkeypatch.setattr(subject, "BLOCK", 64)
    monkeypatch.setattr(moments, "BLOCK_BYTES", 64 * 12)
    if request.param == "memory":
        return VALUES
    stored = zarr.create_array(store=tmp_path / "values.zarr", shape=VALUES.shape, dtype="float16", chunks=(32, 6))
    stored[...] = VALUES
    return stored


@pytest.mark.parametrize("selected", [None, SOME, SOME[:0], np.array([999])])
def test_rows_are_those_selected(source: "np.ndarray | zarr.Array[Any]", selected: np.ndarray | None) -> None:
    """As one array, in blocks or as a subset, they are the rows of the source as float32."""
    rows = Rows(source, selected)
    expected = VALUES.astype(np.float32)[slice(None) if selected is None else selected]
    assert len(rows) == len(expected)
    np.testing.assert_array_equal(rows.to_array(), expected)
    blocks = list(rows.blocks())
    assert all(block.dtype == np.float32 and len(block) for _, block in blocks)
    assert [start for start, _ in blocks] == [sum(len(block) for _, block in blocks[:n]) for n in range(len(blocks))]
    again = np.arange(len(rows))[::3]
    np.testing.assert_array_equal(rows.take(again).to_array(), expected[::3])


def planted() -> tuple[np.ndarray, np.ndarray]:
    """Rows drawn from 40 kinds, and which kind each is."""
    generator = np.random.default_rng(0)
    kinds = generator.normal(size=(40, 6)).astype(np.float32)
    kinds[3] = 0
    which = generator.integers(0, 40, 1000)
    return kinds[which], which


def grouped(rows: np.ndarray) -> DistinctRows:
    """The distinct rows of an array."""
    return distinct_rows(row_hashes(rows))


def test_equal_rows_are_grouped() -> None:
    """Rows share a number exactly when they are equal."""
    rows, which = planted()
    found = grouped(rows)
    assert len(found.first) == len(np.unique(which))
    np.testing.assert_array_equal(rows[found.first][found.inverse], rows)
    same = found.inverse[:, None] == found.inverse
    np.testing.assert_array_equal(same, which[:, None] == which)


def test_first_rows_keep_their_order() -> None:
    """Each kind is represented by its first row, in order of appearance; unique rows are unchanged."""
    rows = np.array([[2, 0], [1, 0], [2, 0], [0, 5]], np.float32)
    found = grouped(rows)
    np.testing.assert_array_equal(found.first, [0, 1, 3])
    np.testing.assert_array_equal(found.inverse, [0, 1, 0, 2])


def test_minus_zero_is_zero() -> None:
    """0 and -0 are the same activation."""
    assert len(grouped(np.array([[0.0, 1.0], [-0.0, 1.0]], np.float32)).first) == 1


def test_nearly_equal_rows_stay_apart() -> None:
    """A difference in the last bit is a difference."""
    rows = np.ones((2, 4), np.float32)
    rows[1, 2] = np.nextafter(np.float32(1), np.float32(2))
    assert len(grouped(rows).first) == 2
