import math
from typing import Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.featurevis.objectives import MIN_COSINE, Direction, direction
from pipeline.featurevis.whitening import activation_space

MEAN = np.array([1.0, 1.0, 0.0], np.float32)
CELL = torch.tensor([[4.0, 1.0, 4.0]])  # centered: (3, 0, 4), length 5


def in_centered_space(mean: NDArray[np.float32], cell: torch.Tensor) -> Direction:
    """The objective of a cell in the centered space."""
    return direction("layer", cell, activation_space("centered", mean), 4.0)


@pytest.mark.parametrize("power", [0.0, 1.0, 4.0, 12.0])
def test_reaching_the_target_is_worth_one(power: float) -> None:
    """An activation that equals the cell's mean has the value 1, whatever the power."""
    assert in_centered_space(MEAN, CELL).values(CELL, power).item() == pytest.approx(1)


def test_the_cosine_is_a_true_one() -> None:
    """The value by hand: twice as long, 60 degrees away."""
    found = in_centered_space(MEAN, CELL)
    # (3, 0, 4) / 5 turned by 60 degrees towards the second axis, ten long
    centered = 10 * (math.cos(math.pi / 3) * torch.tensor([0.6, 0.0, 0.8]) + math.sin(math.pi / 3) * torch.eye(3)[1])
    value = found.values((centered + torch.from_numpy(MEAN))[None], 4.0).item()
    assert value == pytest.approx(2 * 0.5 * 0.5**4, rel=1e-4)


def test_scale_of_the_layer_does_not_matter() -> None:
    """A layer whose activations are a thousand times larger has the same objective."""
    activation = torch.tensor([[2.0, 3.0, 1.0]])
    small = in_centered_space(MEAN, CELL).values(activation, 4.0)
    large = in_centered_space(1000 * MEAN, 1000 * CELL).values(1000 * activation, 4.0)
    torch.testing.assert_close(small, large)


def test_pointing_away_still_gives_a_gradient() -> None:
    """Below the floor the power is a constant, so that the dot product keeps pulling."""
    activation = torch.tensor([[-2.0, 2.0, -1.0]], requires_grad=True)
    value = in_centered_space(MEAN, CELL).values(activation, 4.0)
    (gradient,) = torch.autograd.grad(value.sum(), activation)
    torch.testing.assert_close(gradient, MIN_COSINE**4 * torch.tensor([[3.0, 0.0, 4.0]]) / 25)


def test_an_empty_direction_is_finite() -> None:
    """A cell whose mean is the layer's mean has no direction; its objective is a number all the same."""
    found = in_centered_space(MEAN, torch.from_numpy(MEAN)[None])
    assert found.values(torch.tensor([[1.0, 2.0, 3.0]]), 4.0).isfinite().all()


@pytest.mark.parametrize("power", [0.0, 4.0, 48.0])
@pytest.mark.parametrize("kind", ["raw", "centered", "whitened"])
def test_a_surrogate_gradient_points_where_the_objective_rises(
    kind: Literal["raw", "centered", "whitened"], power: float
) -> None:
    """It is parallel to the gradient of the values; its norm does not vanish with the power."""
    generator = torch.Generator().manual_seed(0)
    activations = (torch.rand(6, 3, generator=generator) * 4).requires_grad_(True)
    covariance = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.2], [0.0, 0.2, 3.0]])
    found = direction("layer", CELL.expand(6, 3), activation_space(kind, MEAN, covariance, samples=100), 4.0)
    surrogate = found.surrogate_gradient(activations, power)
    (value,) = torch.autograd.grad(found.values(activations, power).double().sum(), activations)
    _, cosine = found._dot_and_cosine(found.to_space(activations.detach()))
    torch.testing.assert_close(surrogate * cosine[:, None] ** power, value, rtol=1e-3, atol=1e-12)
    assert surrogate.norm(dim=1).min() > 0.1
