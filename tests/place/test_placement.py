from typing import Literal

import numpy as np
import pytest

from pipeline.place.placement import nearest_activations

Metric = Literal["cosine", "euclidean"]
METRICS: tuple[Metric, ...] = ("cosine", "euclidean")


def activations(seed: int, rows: int = 300) -> np.ndarray:
    """Rectified activations; some rows are multiples of others, some are all zero."""
    found = np.maximum(np.random.default_rng(seed).normal(size=(rows, 24)), 0).astype(np.float32)
    found[50:100] = 3 * found[:50]
    found[10] = found[20] = 0
    return found


def unit(rows: np.ndarray, metric: Metric) -> np.ndarray:
    """The rows, of length 1 for cosine."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True) if metric == "cosine" else rows


@pytest.mark.parametrize("metric", METRICS)
def test_known_activations_find_themselves(metric: Metric) -> None:
    """Every known activation is nearest to itself, or to a row equal to it, however similar others are."""
    known = activations(0)
    found = nearest_activations(known, known, metric)
    np.testing.assert_array_equal(known[found], known)
    assert (found != np.arange(len(known))).sum() <= 1  # the two all-zero rows share one


@pytest.mark.parametrize("metric", METRICS)
def test_new_activations_find_the_most_alike(metric: Metric) -> None:
    """The nearest row is the one that a plain search over all pairs finds."""
    known, new = activations(0), activations(1)[:60]
    new = new[new.any(axis=1)]
    usable = np.flatnonzero(known.any(axis=1)) if metric == "cosine" else np.arange(len(known))
    apart = np.linalg.norm(unit(new, metric)[:, None] - unit(known[usable], metric), axis=2)
    best = apart[np.arange(len(new)), np.searchsorted(usable, nearest_activations(new, known, metric))]
    np.testing.assert_allclose(best, apart.min(axis=1), atol=1e-4)


def test_what_has_no_direction_has_no_place() -> None:
    """Under cosine an all-zero activation goes to an all-zero one, and nowhere where there is none."""
    known, zero = activations(0), np.zeros((2, 24), np.float32)
    assert set(nearest_activations(zero, known, "cosine")) == {10}
    assert set(nearest_activations(zero, known[30:], "cosine")) == {-1}
