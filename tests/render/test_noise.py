from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline.render.noise import Place, generator, start_and_draws

PLACE = Place("features.7", "all", 20, 3, 4)


def test_the_same_place_gives_the_same_numbers() -> None:
    """An icon's randomness is its own: it does not change with the company it is drawn in."""
    alone, _ = start_and_draws([generator(0, PLACE, 0)], (3, 4), 5, 4)
    company = [generator(0, replace(PLACE, row=9), 0), generator(0, PLACE, 0)]
    together, _ = start_and_draws(company, (3, 4), 5, 4)
    assert torch.equal(alone[0], together[1])
    assert not torch.equal(alone[0], together[0])


@pytest.mark.parametrize(
    "other",
    [
        replace(PLACE, layer="features.8"),
        replace(PLACE, atlas="class-1"),
        replace(PLACE, level=40),
        replace(PLACE, row=4, column=3),
    ],
)
def test_another_place_gives_other_numbers(other: Place) -> None:
    """Whatever names the place changes the numbers."""
    assert not np.array_equal(generator(0, PLACE, 0).random(4), generator(0, other, 0).random(4))


def test_another_seed_or_attempt_gives_other_numbers() -> None:
    """A new seed or a new attempt is a new start."""
    rows = [generator(seed, PLACE, attempt).random(4) for seed, attempt in ((0, 0), (1, 0), (0, 1))]
    assert len({tuple(row) for row in rows}) == 3


def test_noise_is_normal_and_draws_are_uniform() -> None:
    """Starts have mean 0 and deviation 1, draws lie in 0..1 around one half."""
    starts, draws = start_and_draws([generator(5, PLACE, 0)], (100, 100), 2500, 4)
    assert starts.mean().abs() < 0.05
    assert starts.std() == pytest.approx(1, abs=0.05)
    assert 0 <= draws.min() < draws.max() <= 1
    assert draws.mean() == pytest.approx(0.5, abs=0.02)
