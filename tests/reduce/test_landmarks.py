import json
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.config.reduce import ReduceSettings
from pipeline.core.errors import ConfigError
from pipeline.reduce import neighbours
from pipeline.reduce.laid import lay_out
from pipeline.reduce.rows import Rows
from pipeline.reduce.stage import run
from tests.reduce.clusters import clustered
from tests.reduce.planted import plant, task, xy
from tests.reduce.test_layouts import hits

SMALL = {"neighbours": 12, "perplexity": 12.0, "epochs": 60, "iterations": 100}


@pytest.mark.parametrize("method", ["umap", "tsne"])
@pytest.mark.parametrize("dimensions", [1, 2])
def test_placed_points_lie_with_their_kind(method: str, dimensions: int) -> None:
    """Points that were not laid out lie among landmarks of their own cluster; mixed up they would not."""
    activations, labels = clustered()
    settings = ReduceSettings.model_validate({"method": method, "fit_samples": 150, **SMALL})
    laid = lay_out(Rows(activations), settings, 0, dimensions)
    assert laid.places.shape == (300, dimensions)
    assert laid.landmark.sum() == 150
    landmarks, placed = laid.places[laid.landmark], laid.places[~laid.landmark]
    nearest = np.linalg.norm(placed[:, None] - landmarks, axis=2).argmin(axis=1)
    share = (labels[laid.landmark][nearest] == labels[~laid.landmark]).mean()
    assert share > (0.95 if dimensions == 2 else 0.4)  # on a line clusters must pass through each other
    assert hits(np.random.default_rng(0).permutation(laid.places), labels) < 0.3


def test_the_seed_draws_the_landmarks() -> None:
    """The same seed gives the same landmarks and bytes, another one others; as many as there are change nothing."""
    rows = Rows(clustered()[0])

    def laid(most: int | None, seed: int = 0) -> tuple[bytes, bytes]:
        settings = ReduceSettings.model_validate({"fit_samples": most, **SMALL})
        found = lay_out(rows, settings, seed)
        return found.places.tobytes(), found.landmark.tobytes()

    assert laid(150) == laid(150)
    assert laid(150)[1] != laid(150, 1)[1]
    assert laid(300) == laid(None)
    assert laid(299)[0] != laid(None)[0]


def test_the_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread and four place landmarks and all others at the same bytes."""
    rows = Rows(np.repeat(clustered()[0], 4, axis=0) + np.random.default_rng(0).random((1200, 20), dtype=np.float32))
    monkeypatch.setattr(neighbours, "QUERIES", 50)
    before = torch.get_num_threads()
    found = []
    try:
        for count in (1, 4):
            torch.set_num_threads(count)
            found.append(
                lay_out(rows, ReduceSettings.model_validate({"fit_samples": 700, "components": 8, **SMALL}), 0)
            )
    finally:
        torch.set_num_threads(before)
    assert found[0].places.tobytes() == found[1].places.tobytes()


def test_pca_needs_no_landmarks() -> None:
    """A linear layout places every point by itself, however few landmarks are allowed."""
    rows = Rows(clustered()[0])
    few, all_ = (lay_out(rows, ReduceSettings(method="pca", fit_samples=most), 0) for most in (20, None))
    np.testing.assert_array_equal(few.places, all_.places)
    assert few.landmark.all()


def test_the_stage_tells_landmarks_and_placed_points_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both get the same measures, in the metrics and in words; equal samples still share a place."""
    run(task(plant(tmp_path), "reduce.fit_samples=120"))
    metrics = json.loads((tmp_path / "metrics/reduce/early/all.json").read_text())
    assert metrics["landmarks"] == 120
    for group in ("landmarks", "placed"):
        assert metrics[f"trustworthiness_10_{group}"] > 0.8
        assert metrics[f"continuity_10_{group}"] > 0.8
    assert "120 landmarks laid out, the rest placed among them" in capsys.readouterr().err
    places = xy(tmp_path)
    np.testing.assert_array_equal(places[10], places[110])
    run(task(tmp_path, "reduce.fit_samples=null"))
    assert "placed" not in capsys.readouterr().err


def test_too_few_landmarks_are_refused() -> None:
    """The method must be able to lay them out."""
    with pytest.raises(ValueError, match="fit_samples: expected at least 21 for umap, found 15"):
        ReduceSettings(fit_samples=15)


def test_a_missing_engine_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where TorchDR is not installed, the stage says how to get it before it does anything."""
    plant(tmp_path)
    monkeypatch.setattr("pipeline.reduce.engine.find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match="uv sync --extra torchdr") as caught:
        run(task(tmp_path, "reduce.engine=torchdr"))
    assert "\n" not in str(caught.value)
