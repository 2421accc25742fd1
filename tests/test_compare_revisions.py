"""The comparison of two revisions finds what differs and nothing else."""

from pathlib import Path

import numpy as np
import zarr

from tests.compare_revisions import differences


def write(outputs: Path, values: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
    """One artifact with one array below a level."""
    group = zarr.create_group(outputs / "grid" / "layer" / "all.zarr")
    group.create_group("20").create_array("mean", data=values)


def test_a_changed_bit_is_found_and_equal_arrays_are_not(tmp_path: Path) -> None:
    """A changed value is counted with its size; NaN at the same index is equal; attributes are not compared."""
    values = np.array([1.0, np.nan, 3.0], np.float32)
    for name, changed in (("a", values), ("b", values.copy()), ("c", np.array([1.0, np.nan, 3.5], np.float32))):
        write(tmp_path / name, changed)
    zarr.open_group(tmp_path / "b" / "grid" / "layer" / "all.zarr").attrs["note"] = 1
    assert list(differences(tmp_path / "a", tmp_path / "b")) == []
    expected = ["grid/layer/all.zarr/20/mean: 1 of 3 values differ, by 0.5 at most"]
    assert list(differences(tmp_path / "a", tmp_path / "c")) == expected


def test_a_missing_array_is_found(tmp_path: Path) -> None:
    """An array that only one of the runs has is named."""
    write(tmp_path / "a", np.ones(3, np.float32))
    assert list(differences(tmp_path / "a", tmp_path / "none")) == ["grid/layer/all.zarr/20/mean: only before"]
