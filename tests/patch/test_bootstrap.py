import numpy as np
from numpy.typing import NDArray

from pipeline.core.bootstrap import draws
from pipeline.patch.bootstrap import estimate, resampled

PATCHES, IMAGES, RATE = 10, 40, 0.3


def interval_of(values: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """The ends of the 95 % interval of the mean of values [patch, image]."""
    random = np.random.default_rng([seed, 1])
    patches, images = draws(random, len(values), 400), draws(random, values.shape[1], 400)
    found = estimate(float(values.mean()), resampled(values, patches, images))
    return found.low, found.high


def flips(seed: int, *, spread: float) -> NDArray[np.float64]:
    """Flips [patch, image] whose patches and images differ in how easily they flip; the mean rate is ``RATE``."""
    random = np.random.default_rng([seed, 0])
    patch = random.choice([-spread, spread], (PATCHES, 1))
    image = random.choice([-spread, spread], (1, IMAGES))
    return np.asarray(random.random((PATCHES, IMAGES)) < RATE + patch + image, np.float64)


def test_the_interval_covers_the_true_rate() -> None:
    """Of 300 experiments with unlike patches and images about 95 % of the intervals hold the true rate."""
    ends = np.array([interval_of(flips(seed, spread=0.12), seed) for seed in range(300)])
    covered = ((ends[:, 0] <= RATE) & (ends[:, 1] >= RATE)).mean()
    assert 0.88 <= covered <= 0.99


def test_pictures_drawn_as_if_unrelated_would_cover_too_little() -> None:
    """Leaving out that answers of one patch go together makes intervals that miss the rate far too often."""
    covered = []
    for seed in range(300):
        values = flips(seed, spread=0.12)
        means = np.random.default_rng(seed).choice(values.ravel(), (400, values.size)).mean(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        covered.append(low <= RATE <= high)
    assert np.mean(covered) < 0.85


def test_resamples_are_means_of_what_was_drawn() -> None:
    """A resampled mean is the mean over drawn patches and drawn images, each as often as drawn."""
    values = np.arange(6.0).reshape(2, 3)
    patches, images = np.array([[2.0, 0.0]]), np.array([[0.0, 1.0, 2.0]])
    np.testing.assert_allclose(resampled(values, patches, images), [(1 + 2 + 2) / 3])
