import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.core import moments, zarr_store
from pipeline.core.artifacts import GRID
from pipeline.grid import tasks
from pipeline.grid.sums import image_half
from tests.grid.planted import CHOSEN, Planted, gridded, plant


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planted:
    """Activations and a layout on disk, read in blocks of 64 rows."""
    monkeypatch.setattr(moments, "BLOCK_BYTES", 1)
    return plant(tmp_path, attribution=True)


def members(planted: Planted, size: int, cell: Sequence[int]) -> np.ndarray:
    """Which points lie in a cell, by its four edges."""
    row, column = cell
    inside = np.ones(len(planted.xy), bool)
    for places, index in zip(planted.xy.T.astype(np.float64), (column, row), strict=True):
        far = places <= 1 if index == size - 1 else places * size < index + 1
        inside &= (places * size >= index) & far
    return np.flatnonzero(inside)


def test_means_equal_a_plain_recomputation(tmp_path: Path, planted: Planted) -> None:
    """Means, counts and drawn of every cell of every level, cell by cell, and the layer's mean over all samples."""
    levels = gridded(tmp_path)
    for size, level in levels.items():
        assert level["count"].sum() == len(planted.xy)
        for index, cell in enumerate(level["cell"]):
            points = members(planted, size, cell)
            rows = CHOSEN[points]
            assert level["count"][index] == len(points)
            assert level["drawn"][index] == (len(points) >= 3)
            np.testing.assert_allclose(level["activation"][index], planted.activation[rows].mean(axis=0), rtol=1e-5)
            expected = planted.attribution[rows].mean(axis=0)
            np.testing.assert_allclose(level["attribution"][index], expected, rtol=1e-4, atol=1e-6)
    assert 0 < levels[20]["drawn"].mean() < 1
    mean = zarr_store.array(zarr_store.open_artifact(GRID, GRID.path(tmp_path, "layer", "all")), "mean")
    np.testing.assert_allclose(np.asarray(mean[...]), planted.activation.mean(axis=0), rtol=1e-5)


def test_exemplars_lie_in_their_cell(tmp_path: Path, planted: Planted) -> None:
    """Exemplars are samples of the cell from different images, the nearest to its mean first."""
    mean = planted.activation.mean(axis=0)
    for size, level in gridded(tmp_path, "grid.exemplars=4").items():
        for index, cell in enumerate(level["cell"]):
            rows = CHOSEN[members(planted, size, cell)]
            found = level["exemplar"][index][level["exemplar"][index] >= 0]
            assert set(found) <= set(rows)
            assert len(found) == min(4, len(np.unique(planted.image[rows])))
            assert len(np.unique(planted.image[found])) == len(found)
            centered, target = planted.activation[rows] - mean, level["activation"][index] - mean
            cosines = centered @ target / np.linalg.norm(centered, axis=1) / np.linalg.norm(target)
            assert found[0] in rows[cosines >= cosines.max() - 1e-5]
            np.testing.assert_allclose(level["spread"][index], (1 - cosines).mean(), atol=1e-4)


def test_reliability_needs_both_halves(tmp_path: Path, planted: Planted) -> None:
    """It lies in -1..1, is unknown exactly where the cell's images are all in one half, and noise scores low."""
    del planted
    level = gridded(tmp_path)[20]
    known = ~np.isnan(level["reliability"])
    assert 0 < known.mean() < 1
    assert np.isnan(level["reliability"][level["count"] == 1]).all()
    assert np.abs(level["reliability"][known]).max() <= 1
    assert np.median(level["reliability"][known]) < 0.3


def test_reliability_equals_a_plain_recomputation(tmp_path: Path, planted: Planted) -> None:
    """Of every cell: the centered cosine of the means of its two halves, NaN where one of them has no sample."""
    mean = planted.activation.mean(axis=0)
    for size, level in gridded(tmp_path).items():
        for index, cell in enumerate(level["cell"]):
            rows = CHOSEN[members(planted, size, cell)]
            half = image_half(planted.image[rows])
            if half.min() == half.max():
                assert np.isnan(level["reliability"][index])
                continue
            left, right = (planted.activation[rows[half == number]].mean(axis=0) - mean for number in (0, 1))
            expected = left @ right / np.linalg.norm(left) / np.linalg.norm(right)
            assert level["reliability"][index] == pytest.approx(expected, abs=1e-4)


def test_slices_of_channels_leave_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the sums of all channels would take too much memory, they are added up in slices; the grid is the same."""
    plant(tmp_path, attribution=True)
    whole = gridded(tmp_path)
    monkeypatch.setattr(tasks, "SUM_BYTES", 16 * 2 * len(whole[20]["cell"]) + 8)
    for size, level in gridded(tmp_path).items():
        for name, values in level.items():
            np.testing.assert_allclose(values, whole[size][name], rtol=1e-5, atol=1e-6, err_msg=name)


def test_without_attribution(tmp_path: Path) -> None:
    """Activations that were sampled without attributions make a grid of no classes, and nothing else differs."""
    plant(tmp_path / "without", attribution=False)
    plant(tmp_path / "with", attribution=True)
    without, with_them = gridded(tmp_path / "without"), gridded(tmp_path / "with")
    assert without[5]["attribution"].shape == (len(without[5]["cell"]), 0)
    np.testing.assert_array_equal(without[20]["activation"], with_them[20]["activation"])


def test_the_number_type_on_the_disk_leaves_no_trace(tmp_path: Path) -> None:
    """Numbers that half precision can hold give the same grid from either number type, to the bit."""
    plant(tmp_path / "half", attribution=True)
    plant(tmp_path / "single", attribution=True, dtype="float32")
    half, single = gridded(tmp_path / "half"), gridded(tmp_path / "single")
    for size, level in half.items():
        for name, values in level.items():
            np.testing.assert_array_equal(values, single[size][name], err_msg=name)


def test_blocks_leave_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading everything at once or in small blocks gives the same grid, up to rounding."""
    plant(tmp_path, attribution=True)
    whole = gridded(tmp_path)
    monkeypatch.setattr(moments, "BLOCK_BYTES", 1)
    for size, level in gridded(tmp_path).items():
        for name, values in level.items():
            np.testing.assert_allclose(values, whole[size][name], rtol=1e-4, atol=1e-6, err_msg=name)


def test_metrics_and_plot(tmp_path: Path, planted: Planted) -> None:
    """Each level's cells are counted, and the histogram holds every occupied cell once."""
    levels = gridded(tmp_path)
    metrics = json.loads((tmp_path / "metrics/grid/layer/all.json").read_text())
    with (tmp_path / "plots/grid/layer/all.csv").open() as file:
        rows = list(csv.DictReader(file))
    for size, level in levels.items():
        assert metrics[str(size)]["occupied"] == len(level["cell"])
        assert metrics[str(size)]["drawn"] == level["drawn"].sum()
        counted = {int(row["count"]): int(row["cells"]) for row in rows if row["level"] == str(size)}
        assert sum(counted.values()) == len(level["cell"])
        assert counted.get(1, 0) == (level["count"] == 1).sum()
    assert len(planted.xy) == 450
