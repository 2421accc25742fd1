import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.featurevis.composition import canonical_bytes
from pipeline.featurevis.optimize import image_generator, noise_and_uniforms

CELL = np.array([0.5, 2.0, 0.0, 1.25], np.float32)
OTHER = np.nextafter(CELL, np.float32(9))


def generator(seed: int, direction: NDArray[np.float32], attempt: int) -> np.random.Generator:
    """The random numbers of an attempt at an icon of a direction."""
    return image_generator(seed, attempt, canonical_bytes(direction))


def test_the_same_direction_gives_the_same_numbers() -> None:
    """An icon's randomness is its own: it does not change with the batch it is rendered in."""
    alone, views = noise_and_uniforms([generator(0, CELL, 0)], (3, 4), 5, 4)
    together, all_views = noise_and_uniforms([generator(0, OTHER, 0), generator(0, CELL.copy(), 0)], (3, 4), 5, 4)
    assert torch.equal(alone[0], together[1])
    assert torch.equal(views[0], all_views[1])
    assert not torch.equal(alone[0], together[0])


def test_the_smallest_change_of_the_direction_gives_other_numbers() -> None:
    """Two cells that differ in the last bit of one channel share no start; a change of the byte order is none."""
    nearly = CELL.copy()
    nearly[3] = OTHER[3]
    assert not np.array_equal(generator(0, CELL, 0).random(4), generator(0, nearly, 0).random(4))
    swapped = CELL.astype(">f4")
    assert np.array_equal(generator(0, CELL, 0).random(4), generator(0, swapped, 0).random(4))


def test_another_seed_or_attempt_gives_other_numbers() -> None:
    """A new seed or a new attempt is a new start, and so is one in place of the other."""
    asked = ((0, 0), (1, 0), (0, 1), (1, 1), (11, 0), (1, 10))
    rows = [generator(seed, CELL, attempt).random(4) for seed, attempt in asked]
    assert len({tuple(row) for row in rows}) == len(asked)


def test_more_steps_leave_the_start_and_the_first_views_as_they_are() -> None:
    """A longer course begins as the shorter one does."""
    (short, few), (long, many) = (noise_and_uniforms([generator(0, CELL, 0)], (3, 4), steps, 4) for steps in (5, 9))
    assert torch.equal(short, long)
    assert torch.equal(few, many[:, :5])


def test_noise_is_normal_and_draws_are_uniform() -> None:
    """Starts have mean 0 and deviation 1, uniforms lie in 0..1 around one half."""
    starts, uniforms = noise_and_uniforms([generator(5, CELL, 0)], (100, 100), 2500, 4)
    assert starts.mean().abs() < 0.05
    assert starts.std() == pytest.approx(1, abs=0.05)
    assert 0 <= uniforms.min() < uniforms.max() <= 1
    assert uniforms.mean() == pytest.approx(0.5, abs=0.02)
