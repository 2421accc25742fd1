import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.artifacts import LAYOUT
from pipeline.core.errors import DataError
from pipeline.core.zarr_store import array, open_artifact
from pipeline.reduce.stage import run
from tests.reduce.planted import ROOT, TWINS, ZERO, plant, task, xy

METHODS = ["umap", "tsne", "pca"]


@pytest.mark.parametrize("method", METHODS)
def test_every_sample_gets_one_position(tmp_path: Path, method: str) -> None:
    """All samples are in the unit square, equal ones at the same position and all-zero ones in the corner."""
    run(task(plant(tmp_path), f"reduce={method}"))
    layout = xy(tmp_path)
    stored = open_artifact(LAYOUT, LAYOUT.path(tmp_path, "early", "all"))
    np.testing.assert_array_equal(array(stored, "sample")[...], np.arange(300))
    assert layout.min() >= 0
    assert layout.max() <= 1
    np.testing.assert_array_equal(layout[ZERO], [[0, 1]] * len(ZERO))
    np.testing.assert_array_equal(layout[TWINS[:, 0]], layout[TWINS[:, 1]])
    assert len(np.unique(layout, axis=0)) == 300 - len(TWINS) - len(ZERO) + 1


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted run, laid out by each method in another process."""
    folder = tmp_path_factory.mktemp("elsewhere")
    command = [sys.executable, "-W", "error", "-m", "tests.reduce.planted", str(folder), *METHODS]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    return folder


@pytest.mark.parametrize("method", METHODS)
def test_layouts_repeat_bit_for_bit_in_another_process(tmp_path: Path, elsewhere: Path, method: str) -> None:
    """Two processes write the same bytes, with duplicates and all-zero rows; those of UMAP depend on the seed."""
    run(task(plant(tmp_path), f"reduce={method}"))
    files = [path for path in (tmp_path / "layout").rglob("*") if path.is_file()]
    assert any("xy" in path.parts for path in files)
    for path in files:
        assert path.read_bytes() == (elsewhere / method / path.relative_to(tmp_path)).read_bytes(), path
    before = xy(tmp_path)
    run(task(tmp_path, f"reduce={method}", "seed=1"))
    assert np.array_equal(before, xy(tmp_path)) == (method != "umap")


def test_layers_are_aligned(tmp_path: Path) -> None:
    """A layer whose activations are rotated gives the same positions as the reference layer."""
    plant(tmp_path)
    for layer in ("early", "late"):
        run(task(tmp_path, "reduce=pca", layer=layer))
    others = np.setdiff1d(np.arange(300), ZERO)
    early, late = xy(tmp_path, "early")[others], xy(tmp_path, "late")[others]
    assert np.corrcoef(early[:, 0], late[:, 0])[0, 1] > 0.99
    assert np.corrcoef(early[:, 1], late[:, 1])[0, 1] > 0.99


def test_metrics_and_plot(tmp_path: Path) -> None:
    """The metrics are present and in range, and planted neighborhoods are preserved."""
    run(task(plant(tmp_path)))
    metrics = json.loads((tmp_path / "metrics/reduce/early/all.json").read_text())
    assert metrics["points"] == 300
    assert metrics["zero"] == len(ZERO)
    assert metrics["distinct"] == 300 - len(ZERO) - len(TWINS)
    assert 0 <= metrics["outliers"] < 0.1
    assert 0.05 < metrics["filled"] <= 1
    assert metrics["trustworthiness_10"] > 0.85
    assert metrics["continuity_10"] > 0.85
    with (tmp_path / "plots/reduce/early/all.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 300
    assert {row["label"] for row in rows} == {"-1", *map(str, range(6))}


def test_euclidean_lays_out_all_zero_rows_like_any_other(tmp_path: Path) -> None:
    """Zero has distances and no direction: under the Euclidean metric all-zero rows share an inner position."""
    run(task(plant(tmp_path), "reduce=pca", "reduce.metric=euclidean"))
    layout = xy(tmp_path)
    assert len(np.unique(layout[ZERO], axis=0)) == 1
    assert layout[ZERO[0]].tolist() != [0, 1]


BROKEN = {
    "zero": (np.zeros((300, 4), np.float32), "found zeros only"),
    "not finite": (np.where(np.eye(300, 4) > 0, np.nan, 1).astype(np.float32), "found 4 of 300 samples"),
    "few kinds": (np.repeat(np.eye(4, dtype=np.float32), 75, axis=0), "at least 13 distinct activations, found 4"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_unusable_activations_are_refused(tmp_path: Path, name: str) -> None:
    """The error names in one line the layer, what was found and what to do, and no layout is written."""
    values, message = BROKEN[name]
    plant(tmp_path, values)
    with pytest.raises(DataError, match=message) as caught:
        run(task(tmp_path))
    assert "early" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not LAYOUT.path(tmp_path, "early", "all").exists()


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("distill_site", (50, 0.05, "cosine")),
        ("distill_early", (200, 0.05, "euclidean")),
        ("distill_class", (20, 0.02, "cosine")),
        ("lucid_notebook", (20, 0.01, "cosine")),
    ],
)
def test_published_presets(preset: str, expected: tuple[int, float, str]) -> None:
    """The presets have the published values, umap-learn's default of negative samples and no equalization."""
    text = dict(
        line.split(" #")[0].split(": ")
        for line in (ROOT / f"conf/reduce/{preset}.yaml").read_text().splitlines()
        if not line.startswith("#")
    )
    assert (int(text["neighbors"]), float(text["min_dist"]), text["metric"]) == expected
    assert (text["method"], text["negative_sample_rate"], text["equalization"]) == ("umap", "5", "0.0")
    assert (text["percentile"], text["margin"]) == ("1.0", "0.1")
