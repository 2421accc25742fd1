from itertools import islice

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.patch.candidates import Exemplar
from pipeline.patch.groups import at_random, best_by_logit, elsewhere, from_atlas, noise_like
from pipeline.patch.images import halves, spread_evenly, spread_examples
from pipeline.patch.noise import colour_statistics, natural_noise
from pipeline.patch.sources import Sources
from pipeline.patch.squares import Square

CROP, SIDE = 16, 6
PAIR = (0, 1)


def picture(row: int) -> NDArray[np.uint8]:
    """A picture of its row's number alone."""
    return np.full((CROP, CROP, 3), row, np.uint8)


def forward(pictures: torch.Tensor) -> torch.Tensor:
    """Says class 0 to pictures below 20, class 2 to others; the logit of class 1 is the mean brightness."""
    mean = pictures.float().mean((1, 2, 3))
    return torch.stack([(mean < 20) * 300.0, mean, (mean >= 20) * 300.0], 1)


def sources(labels: list[int]) -> Sources:
    """Images with these labels; -1 where there is none."""
    return Sources(picture, np.array(labels), forward)


def exemplars(samples: list[int]) -> list[Exemplar]:
    """Exemplars of one cell."""
    return [Exemplar(sample, 1.0, 5, (0, 0)) for sample in samples]


def test_the_atlas_gives_patches_of_other_classes_images_only() -> None:
    """Images of either class are passed over, an image gives one patch, and an unknown label is left to the network."""
    labels = [2] * 30
    labels[3], labels[4], labels[5], labels[25] = 0, 1, -1, -1
    image = np.array([3, 4, 5, 25, 6, 6, 7, 8])
    found = from_atlas(sources(labels), exemplars(list(range(8))), image, lambda _: Square(0, 0, SIDE), PAIR, 3)
    assert [patch.image for patch in found] == [25, 6, 7]
    assert [patch.own for patch in found] == [2, 2, 2]


def test_random_patches_are_of_other_classes_and_of_the_same_size() -> None:
    """None is of the pair's images, all lie inside and are as large as asked; every image comes before any twice."""
    labels = [0, 1, 2, 2, 2, 1, 2, 0]
    found = list(islice(at_random(sources(labels), np.random.default_rng(0), SIDE, CROP, PAIR), 8))
    assert sorted(patch.image for patch in found[:4]) == [2, 3, 4, 6]
    assert sorted(patch.image for patch in found[4:]) == [2, 3, 4, 6]
    assert all(patch.pixels.shape == (SIDE, SIDE, 3) for patch in found)
    assert len({(patch.square.left, patch.square.top) for patch in found if patch.square}) > 4


def test_other_places_are_of_the_same_images() -> None:
    """The control for places has the atlas's images in its order, and other squares."""
    labels = [2] * 9
    some = from_atlas(sources(labels), exemplars([0, 1, 2]), np.array([4, 7, 8]), lambda _: Square(0, 0, SIDE), PAIR, 3)
    same = elsewhere(sources(labels), np.random.default_rng(0), some, CROP)
    assert [patch.image for patch in same] == [4, 7, 8]
    assert {patch.square for patch in same} != {Square(0, 0, SIDE)}


def test_the_logit_ranks_the_pool() -> None:
    """The patches with the largest logit of the target are kept, largest first."""
    pool = list(islice(at_random(sources([2] * 40), np.random.default_rng(1), SIDE, CROP, PAIR), 40))
    best = best_by_logit(forward, pool, 1, 4, 8, np.zeros((CROP, CROP, 3), np.uint8), 7)
    assert [patch.image for patch in best] == [39, 38, 37, 36]


def test_noise_has_natural_colours_and_spectrum() -> None:
    """Noise keeps the colours' mean and covariance, and its power falls as the square of the frequency."""
    random = np.random.default_rng(0)
    mean, covariance = np.array([120.0, 130.0, 110.0]), np.array([[300.0, 200, 100], [200, 400, 50], [100, 50, 200]])
    made = natural_noise(random, 300, 32, mean, covariance)
    got_mean, got_covariance = colour_statistics(made)
    np.testing.assert_allclose(got_mean, mean, atol=3)
    np.testing.assert_allclose(got_covariance, covariance, rtol=0.25, atol=20)
    grey = np.stack(made)[..., 0].astype(np.float64)
    power = (np.abs(np.fft.fft2(grey)) ** 2).mean(axis=0)
    assert power[0, 2] / power[0, 8] == pytest.approx(16, rel=0.3)


def test_noise_is_as_large_as_the_natural_patches() -> None:
    """A noise patch has the side of the pool's patches, the same for the same seed and another for another."""
    pool = list(islice(at_random(sources([2] * 40), np.random.default_rng(1), SIDE, CROP, PAIR), 10))
    one, again, other = (noise_like(np.random.default_rng(seed), pool, 5) for seed in (0, 0, 1))
    assert [patch.pixels.shape for patch in one] == [(SIDE, SIDE, 3)] * 5
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0].pixels, other[0].pixels)


@pytest.mark.parametrize("count", [0, 1, 2, 17, 200])
def test_no_image_is_in_both_halves(count: int) -> None:
    """The halves hold every image once, differ by at most one in length, and follow the seed."""
    first, second = halves(count, np.random.default_rng(3))
    assert sorted([*first, *second]) == list(range(count))
    assert 0 <= len(second) - len(first) <= 1
    again, _ = halves(count, np.random.default_rng(3))
    assert first.tolist() == again.tolist()


def test_images_are_taken_at_equal_steps() -> None:
    """A limit keeps rows from the first to nearly the last, each once."""
    rows = np.arange(100, 200)
    assert spread_evenly(rows, 5).tolist() == [100, 120, 140, 160, 180]
    assert spread_evenly(rows, 500).tolist() == rows.tolist()


def test_examples_hold_the_best_and_the_worst() -> None:
    """Every image meets one patch in turn; the pairs with the largest and the smallest softmax are shown."""
    target = np.zeros((3, 10), np.float32)
    image = np.arange(10)
    target[image % 3, image] = [0.5, 0.1, 0.9, 0.2, 0.3, 0.4, 0.6, 0.7, 0.05, 0.8]
    shown = spread_examples(target, 4)
    assert shown[0] == (2, 2)
    assert shown[-1] == (2, 8)
    assert len(set(shown)) == 4
