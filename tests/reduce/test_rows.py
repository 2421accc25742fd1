from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from pipeline.core import moments as statistics
from pipeline.reduce import rows as subject
from pipeline.reduce.rows import Rows

VALUES = np.random.default_rng(0).normal(size=(1000, 6)).astype(np.float16)
SOME = np.flatnonzero(np.random.default_rng(1).random(1000) < 0.1)


@pytest.fixture(params=["memory", "disk"])
def source(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> "np.ndarray | zarr.Array[Any]":
    """The values in memory, or on disk; in small blocks."""
    monkeypatch.setattr(subject, "BLOCK", 64)
    monkeypatch.setattr(statistics, "BLOCK_BYTES", 64 * 12)
    if request.param == "memory":
        return VALUES
    stored = zarr.create_array(store=tmp_path / "values.zarr", shape=VALUES.shape, dtype="float16", chunks=(32, 6))
    stored[...] = VALUES
    return stored


@pytest.mark.parametrize("chosen", [None, SOME, SOME[:0], np.array([999])])
def test_rows_are_those_chosen(source: "np.ndarray | zarr.Array[Any]", chosen: np.ndarray | None) -> None:
    """Whole, in blocks or chosen once more, they are the rows of the source as float32."""
    rows = Rows(source, chosen)
    expected = VALUES.astype(np.float32)[slice(None) if chosen is None else chosen]
    assert len(rows) == len(expected)
    np.testing.assert_array_equal(rows.whole(), expected)
    blocks = list(rows.blocks())
    assert all(block.dtype == np.float32 and len(block) for _, block in blocks)
    assert [start for start, _ in blocks] == [sum(len(block) for _, block in blocks[:n]) for n in range(len(blocks))]
    again = np.arange(len(rows))[::3]
    np.testing.assert_array_equal(rows.at(again).whole(), expected[::3])
