import numpy as np
import pytest
import scipy.sparse
import torch

from pipeline.reduce import umap
from pipeline.reduce.umap import Curve, optimize_layout, power

CURVE = Curve(1.9, 0.8)


def rings() -> scipy.sparse.csr_array:
    """Two rings of 40 points, each connected to its two neighbors."""
    point = np.arange(80)
    after = (point + 1) % 40 + 40 * (point // 40)
    one = scipy.sparse.csr_array((np.ones(80), (point, after)), shape=(80, 80))
    return scipy.sparse.csr_array(one + one.T)


def initial() -> np.ndarray:
    """Random positions."""
    return np.random.default_rng(0).random((80, 2)) * 10


@pytest.mark.parametrize("exponent", [0.5, 0.79, 1.2])
def test_powers_are_accurate(exponent: float) -> None:
    """Over all distances that a layout can have, the relative error of powers is below a thousandth."""
    bases = np.geomspace(1e-9, 1e4, 500).astype(np.float32)
    found = [power(base, np.float32(exponent)) for base in bases]
    np.testing.assert_allclose(found, bases.astype(np.float64) ** exponent, rtol=1e-3)


def test_edges_attract_and_other_points_repel() -> None:
    """After the optimization the ends of an edge are nearer than other points, at the start they are not."""
    connected = rings().toarray() > 0

    def ratio(xy: np.ndarray) -> float:
        gaps = np.linalg.norm(xy[:, None] - xy, axis=2)
        return float(gaps[connected].mean() / gaps[~connected].mean())

    found = optimize_layout(initial(), rings(), CURVE, 200, 5, 0)
    assert ratio(found) < 0.3
    assert ratio(initial()) > 0.8


@pytest.mark.parametrize("size", [40, 13])
def test_parts_updated_in_parallel_converge_alike(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Divided along the rings or across them, rings converge too; without edges between parts they break.

    The bytes do not depend on the number of threads.
    """
    monkeypatch.setattr(umap, "PART_SIZE", size)
    connected = rings().toarray() > 0

    def ratio(xy: np.ndarray) -> float:
        gaps = np.linalg.norm(xy[:, None] - xy, axis=2)
        return float(gaps[connected].mean() / gaps[~connected].mean())

    result = optimize_layout(initial(), rings(), CURVE, 200, 5, 0)
    assert ratio(result) < 0.3
    if size == 13:  # four parts of 20; those of 40 are the rings themselves
        part = np.arange(80) // 20
        within = rings().toarray() * (part[:, None] == part)
        assert ratio(optimize_layout(initial(), scipy.sparse.csr_array(within), CURVE, 200, 5, 0)) > ratio(result)
    threads = torch.get_num_threads()
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            np.testing.assert_array_equal(optimize_layout(initial(), rings(), CURVE, 200, 5, 0), result)
    finally:
        torch.set_num_threads(threads)


def test_the_seed_determines_the_negative_samples() -> None:
    """The same seed gives the same bytes, another seed others; the initialization is not modified."""
    start = initial()
    found = [optimize_layout(start, rings(), CURVE, 50, 5, seed).tobytes() for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]
    np.testing.assert_array_equal(start, initial())


def test_points_move_to_fixed_ones() -> None:
    """A point connected to a fixed one moves there, wherever it starts; fixed points do not move."""
    fixed = (np.random.default_rng(1).random((30, 2)) * 10).astype(np.float32)
    before = fixed.copy()
    edges = scipy.sparse.csr_array((np.ones(5), (np.arange(5), np.arange(5) * 6)), shape=(5, 30))
    found = optimize_layout(np.full((5, 2), 5.0), edges, CURVE, 100, 2, 0, fixed)
    gaps = np.linalg.norm(found[:, None] - fixed, axis=2)
    assert (gaps.argmin(axis=1) == np.arange(5) * 6).mean() >= 0.8
    np.testing.assert_array_equal(fixed, before)
