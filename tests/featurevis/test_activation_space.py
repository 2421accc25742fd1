import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.featurevis.activation_space import activation_space, oas_shrinkage, whitening_matrix
from pipeline.featurevis.objectives import direction


def correlated(samples: int, channels: int = 12) -> NDArray[np.float64]:
    """Activations whose channels are strongly correlated, with one channel that never fires."""
    rng = np.random.default_rng(0)
    rows = np.maximum(rng.normal(size=(samples, 4)) @ rng.normal(size=(4, channels)) + rng.normal(size=channels), 0)
    rows += 0.3 * rng.normal(size=rows.shape)
    rows[:, 5] = 0
    return rows


def test_whitening_makes_channels_independent() -> None:
    """Without shrinkage, whitened activations have the same variance along every direction that varies."""
    rows = correlated(4000)
    covariance = np.cov(rows, rowvar=False)
    white = (rows - rows.mean(0)) @ whitening_matrix(covariance, 0.0)
    values = np.linalg.eigvalsh(np.cov(white, rowvar=False))
    assert values[0] == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(values[1:], np.trace(covariance) / 12, rtol=1e-6)
    plain = np.linalg.eigvalsh(covariance)
    assert plain[-1] > 5 * plain[1]


@pytest.mark.parametrize("shrinkage", [0.0, 0.1, None])
def test_a_dead_channel_does_no_harm(shrinkage: float | None) -> None:
    """A channel that never fires leaves the directions finite and takes no part in them."""
    rows = correlated(400)
    mean, covariance = rows.mean(0), np.cov(rows, rowvar=False)
    found = activation_space("whitened", mean, covariance, len(rows), shrinkage)
    targets = direction("layer", torch.from_numpy(rows[:8].astype(np.float32)), found, 1.0).targets
    assert targets.isfinite().all()
    assert targets[:, 5].abs().max() < 1e-3
    assert targets.abs().max() > 0.1


def test_a_layer_without_variance_is_left_as_it_is() -> None:
    """Where nothing varies at all there is nothing to whiten."""
    np.testing.assert_array_equal(whitening_matrix(np.zeros((4, 4)), 0.0), np.eye(4))
    assert oas_shrinkage(np.zeros((4, 4)), 100) == 1.0


def test_few_samples_are_shrunk_more() -> None:
    """The estimated shrinkage falls with the number of samples, and the shrunk covariance is nearer to the truth."""
    rng = np.random.default_rng(1)
    truth = np.diag(np.linspace(0.2, 2.0, 40))
    few = rng.multivariate_normal(np.zeros(40), truth, 30)
    plain = few.T @ few / len(few)
    pull = oas_shrinkage(plain, len(few))
    mended = (1 - pull) * plain + pull * np.trace(plain) / 40 * np.eye(40)
    assert np.linalg.norm(mended - truth) < 0.6 * np.linalg.norm(plain - truth)
    assert 0.2 < pull < 1
    assert oas_shrinkage(plain, 100_000) < 0.05


def test_spaces_differ_in_their_origin() -> None:
    """Raw directions start at zero, centered ones at the layer's mean."""
    mean = np.array([1.0, 2.0, 3.0], np.float32)
    cell = torch.tensor([[2.0, 2.0, 2.0]])
    assert direction("layer", cell, activation_space("raw", mean), 1.0).targets.tolist() == [[2, 2, 2]]
    assert direction("layer", cell, activation_space("centered", mean), 1.0).targets.tolist() == [[1, 0, -1]]


def test_whitening_needs_a_covariance() -> None:
    """Asking for whitened directions without statistics is a mistake of the caller."""
    with pytest.raises(ValueError, match="covariance"):
        activation_space("whitened", np.zeros(3))
