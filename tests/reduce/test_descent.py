import numpy as np
import pytest
import scipy.sparse
import torch

from pipeline.reduce import descent
from pipeline.reduce.descent import Curve, descend, power

CURVE = Curve(1.9, 0.8)


def rings() -> scipy.sparse.csr_array:
    """Two rings of 40 points, each tied to its two neighbours."""
    point = np.arange(80)
    after = (point + 1) % 40 + 40 * (point // 40)
    one = scipy.sparse.csr_array((np.ones(80), (point, after)), shape=(80, 80))
    return scipy.sparse.csr_array(one + one.T)


def start() -> np.ndarray:
    """Places at random."""
    return np.random.default_rng(0).random((80, 2)) * 10


@pytest.mark.parametrize("exponent", [0.5, 0.79, 1.2])
def test_powers_are_near(exponent: float) -> None:
    """Over all distances that a layout can have, powers are right to a thousandth."""
    bases = np.geomspace(1e-9, 1e4, 500).astype(np.float32)
    found = [power(base, np.float32(exponent)) for base in bases]
    np.testing.assert_allclose(found, bases.astype(np.float64) ** exponent, rtol=1e-3)


def test_ties_pull_together_and_strangers_are_pushed_apart() -> None:
    """After the descent ends of an edge lie nearer than other points, and rings lie apart; at the start they do not."""
    tied = rings().toarray() > 0

    def ratio(xy: np.ndarray) -> float:
        gaps = np.linalg.norm(xy[:, None] - xy, axis=2)
        return float(gaps[tied].mean() / gaps[~tied].mean())

    found = descend(start(), rings(), CURVE, 200, 5, 0)
    assert ratio(found) < 0.3
    assert ratio(start()) > 0.8


@pytest.mark.parametrize("size", [40, 13])
def test_parts_that_move_side_by_side_settle_alike(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut into parts, along the rings or across them, rings come together too; without ties between parts they break.

    As many threads as one likes write the same bytes.
    """
    monkeypatch.setattr(descent, "PART", size)
    tied = rings().toarray() > 0

    def ratio(xy: np.ndarray) -> float:
        gaps = np.linalg.norm(xy[:, None] - xy, axis=2)
        return float(gaps[tied].mean() / gaps[~tied].mean())

    wide = descend(start(), rings(), CURVE, 200, 5, 0)
    assert ratio(wide) < 0.3
    if size == 13:  # four parts of 20; those of 40 are the rings themselves
        part = np.arange(80) // 20
        within = rings().toarray() * (part[:, None] == part)
        assert ratio(descend(start(), scipy.sparse.csr_array(within), CURVE, 200, 5, 0)) > ratio(wide)
    threads = torch.get_num_threads()
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            np.testing.assert_array_equal(descend(start(), rings(), CURVE, 200, 5, 0), wide)
    finally:
        torch.set_num_threads(threads)


def test_the_seed_decides_what_is_drawn() -> None:
    """The same seed writes the same bytes, another one others; the start is left as it was."""
    place = start()
    found = [descend(place, rings(), CURVE, 50, 5, seed).tobytes() for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]
    np.testing.assert_array_equal(place, start())


def test_points_join_others_that_stay() -> None:
    """A point tied to one that stays goes there, wherever it starts; what stays is not moved."""
    stays = (np.random.default_rng(1).random((30, 2)) * 10).astype(np.float32)
    before = stays.copy()
    tie = scipy.sparse.csr_array((np.ones(5), (np.arange(5), np.arange(5) * 6)), shape=(5, 30))
    found = descend(np.full((5, 2), 5.0), tie, CURVE, 100, 2, 0, stays)
    gaps = np.linalg.norm(found[:, None] - stays, axis=2)
    assert (gaps.argmin(axis=1) == np.arange(5) * 6).mean() >= 0.8
    np.testing.assert_array_equal(stays, before)
