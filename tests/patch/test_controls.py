from itertools import islice

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.images.crops import Crop
from pipeline.patch.patches import (
    Exemplar,
    PatchSource,
    atlas_patches,
    color_statistics,
    natural_noise,
    noise_patches,
    random_patches,
    same_image_patches,
    top_logit_patches,
)

CROP, SIDE = 16, 6
PAIR = (0, 1)


def gray_image(row: int) -> NDArray[np.uint8]:
    """An image whose every value is its row."""
    return np.full((CROP, CROP, 3), row, np.uint8)


def forward(images: torch.Tensor) -> torch.Tensor:
    """Predicts class 0 for images below 20, class 2 for others; the logit of class 1 is the mean brightness."""
    mean = images.float().mean((1, 2, 3))
    return torch.stack([(mean < 20) * 300.0, mean, (mean >= 20) * 300.0], 1)


def source(labels: list[int]) -> PatchSource:
    """Images with these labels; -1 where there is none."""
    return PatchSource(gray_image, np.array(labels), forward)


def exemplars(samples: list[int]) -> list[Exemplar]:
    """Exemplars of one cell."""
    return [Exemplar(sample, 1.0, 5, (0, 0)) for sample in samples]


def test_the_atlas_gives_patches_of_other_classes_images_only() -> None:
    """Images of either class give no patch, others give one, and the network predicts unknown labels."""
    labels = [2] * 30
    labels[3], labels[4], labels[5], labels[25] = 0, 1, -1, -1
    image = np.array([3, 4, 5, 25, 6, 6, 7, 8])
    found = atlas_patches(source(labels), exemplars(list(range(8))), image, lambda _: Crop(0, 0, SIDE), PAIR, 3)
    assert [patch.image for patch in found] == [25, 6, 7]
    assert [patch.own for patch in found] == [2, 2, 2]


def test_random_patches_are_of_other_classes_and_of_the_same_size() -> None:
    """None is from the pair's images, all lie inside and have the given size; every image comes before any twice."""
    labels = [0, 1, 2, 2, 2, 1, 2, 0]
    found = list(islice(random_patches(source(labels), np.random.default_rng(0), SIDE, CROP, PAIR), 8))
    assert sorted(patch.image for patch in found[:4]) == [2, 3, 4, 6]
    assert sorted(patch.image for patch in found[4:]) == [2, 3, 4, 6]
    assert all(patch.pixels.shape == (SIDE, SIDE, 3) for patch in found)
    assert len({(patch.square.left, patch.square.top) for patch in found if patch.square}) > 4


def test_same_image_patches_are_from_the_same_images() -> None:
    """The control for positions has the atlas's images in its order, and other squares."""
    labels = [2] * 9
    some = atlas_patches(source(labels), exemplars([0, 1, 2]), np.array([4, 7, 8]), lambda _: Crop(0, 0, SIDE), PAIR, 3)
    same = same_image_patches(source(labels), np.random.default_rng(0), some, CROP)
    assert [patch.image for patch in same] == [4, 7, 8]
    assert {patch.square for patch in same} != {Crop(0, 0, SIDE)}


def test_the_logit_ranks_the_pool() -> None:
    """The patches with the largest logit of the target are kept, largest first."""
    pool = list(islice(random_patches(source([2] * 40), np.random.default_rng(1), SIDE, CROP, PAIR), 40))
    best = top_logit_patches(forward, pool, 1, 4, 8, np.zeros((CROP, CROP, 3), np.uint8), 7)
    assert [patch.image for patch in best] == [39, 38, 37, 36]


def test_noise_has_natural_colors_and_spectrum() -> None:
    """Noise has the mean and covariance of the colors, and its power falls as the square of the frequency."""
    random = np.random.default_rng(0)
    mean, covariance = np.array([120.0, 130.0, 110.0]), np.array([[300.0, 200, 100], [200, 400, 50], [100, 50, 200]])
    made = natural_noise(random, 300, 32, mean, covariance)
    got_mean, got_covariance = color_statistics(made)
    np.testing.assert_allclose(got_mean, mean, atol=3)
    np.testing.assert_allclose(got_covariance, covariance, rtol=0.25, atol=20)
    channel = np.stack(made)[..., 0].astype(np.float64)
    power = (np.abs(np.fft.fft2(channel)) ** 2).mean(axis=0)
    assert power[0, 2] / power[0, 8] == pytest.approx(16, rel=0.3)


def test_noise_is_as_large_as_the_natural_patches() -> None:
    """A noise patch has the side of the pool's patches, the same for the same seed and another for another."""
    pool = list(islice(random_patches(source([2] * 40), np.random.default_rng(1), SIDE, CROP, PAIR), 10))
    one, again, other = (noise_patches(np.random.default_rng(seed), pool, 5) for seed in (0, 0, 1))
    assert [patch.pixels.shape for patch in one] == [(SIDE, SIDE, 3)] * 5
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0].pixels, other[0].pixels)
