"""Other engines than the built-in ones; umap-learn, the reference of UMAP, beside the built-in UMAP on digits."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from pipeline.config.reduce import ReduceSettings
from pipeline.core.errors import ConfigError
from pipeline.reduce.layout import compute_layout
from pipeline.reduce.quality import LayoutSamples, measure_quality
from pipeline.reduce.rows import Rows
from pipeline.reduce.stage import run
from tests.reduce.planted import ROOT, plant, task

MEASURES = ("trustworthiness_10", "trustworthiness_50", "continuity_10", "continuity_50", "label_hits")
TOLERANCE = 0.02
THREADS = """
import sys
import numba
import numpy as np
from pipeline.config.reduce import ReduceSettings
from pipeline.reduce.layout import compute_layout
from pipeline.reduce.rows import Rows
from tests.reduce.clusters import clustered

numba.set_num_threads(min(int(sys.argv[1]), numba.config.NUMBA_NUM_THREADS))
settings = ReduceSettings(engine="umap_learn", epochs=30)
sys.stdout.write(compute_layout(Rows(clustered()[0]), settings, 0).coordinates.tobytes().hex())
"""


def measures(settings: ReduceSettings, shuffled: bool = False) -> Mapping[str, float]:
    """Quality of a layout of scikit-learn's digits, each an image of its own, over all of them."""
    digits = load_digits()
    rows = Rows(digits.data.astype(np.float32))
    xy = compute_layout(rows, settings, 0).coordinates.astype(np.float32)
    if shuffled:
        xy = np.random.default_rng(0).permutation(xy)
    samples = LayoutSamples(rows, xy, np.arange(len(rows)), digits.target.astype(np.int64))
    found = measure_quality(samples, settings.metric, len(rows), 0)
    return {name: value for name in MEASURES if (value := found[name]) is not None}


@pytest.mark.long
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_the_builtin_umap_preserves_digits_like_umap_learn(metric: str) -> None:
    """Trustworthiness, continuity and label hits of both engines agree; a shuffled layout loses by far."""
    builtin, reference = (
        measures(ReduceSettings.model_validate({"engine": engine, "metric": metric}))
        for engine in ("builtin", "umap_learn")
    )
    assert set(builtin) == set(reference) == set(MEASURES)
    for name in MEASURES:
        assert builtin[name] == pytest.approx(reference[name], abs=TOLERANCE), name
    assert builtin["label_hits"] > 0.9
    shuffled = measures(ReduceSettings.model_validate({"metric": metric}), shuffled=True)
    for name in MEASURES:
        assert shuffled[name] < reference[name] - 10 * TOLERANCE, name


@pytest.mark.parametrize("engine", ["builtin", "umap_learn"])
def test_digits_placed_among_landmarks(engine: str) -> None:
    """With a third of the digits as landmarks, label hits stay within twice the tolerance of a layout of all."""
    full = measures(ReduceSettings.model_validate({"engine": engine}))
    placed = measures(ReduceSettings.model_validate({"engine": engine, "fit_samples": 600}))
    assert placed["label_hits"] > full["label_hits"] - 2 * TOLERANCE


def test_digits_are_placed_among_torchdr_s_landmarks_as_among_our_own() -> None:
    """TorchDR's landmarks, whose layout differs from processor to processor, serve as well as those of our engine."""
    placed, ours = (
        measures(ReduceSettings.model_validate({"engine": engine, "fit_samples": 600}))
        for engine in ("torchdr", "builtin")
    )
    assert placed["label_hits"] > ours["label_hits"] - TOLERANCE


@pytest.mark.long
def test_umap_learn_does_not_depend_on_the_number_of_threads() -> None:
    """One Numba thread and two give the same bytes, although umap-learn's functions are parallel."""
    found = [
        subprocess.run(
            [sys.executable, "-W", "error", "-c", THREADS, str(count)],
            check=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_NUM_THREADS": "2"},
            capture_output=True,
        ).stdout
        for count in (1, 2)
    ]
    assert len(found[0]) > 1000
    assert found[0] == found[1]


def test_the_old_name_of_the_builtin_engine_is_answered() -> None:
    """``own`` is refused with the name that replaces it."""
    with pytest.raises(ValueError, match="expected builtin, the new name of own"):
        ReduceSettings.model_validate({"engine": "own"})


def test_umap_learn_has_no_tsne() -> None:
    """t-SNE by umap-learn is refused with the engines that have it."""
    with pytest.raises(ValueError, match="expected builtin or torchdr for method tsne, found umap_learn"):
        ReduceSettings(method="tsne", engine="umap_learn")


def test_a_missing_engine_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where TorchDR is not installed, the stage says how to install it before it reads anything."""
    plant(tmp_path)
    monkeypatch.setattr("pipeline.reduce.external_engines.find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match="uv sync --extra torchdr") as caught:
        run(task(tmp_path, "reduce.engine=torchdr"))
    assert "\n" not in str(caught.value)
