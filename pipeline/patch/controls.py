"""Control patches: three groups that are independent of the atlas, and one that only uses its images.

Every group has equally many patches, cut as squares of the same side.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.patch.paste import Forward, Pixels, batched_logits, resize
from pipeline.patch.patches import Patch, PatchSource, random_crop

GROUPS = ("atlas", "elsewhere", "logit", "random", "noise")
NATURAL = ("logit", "random")  # natural patches that are independent of the atlas


def elsewhere_patches(
    source: PatchSource, random: np.random.Generator, patches: Sequence[Patch], crop: int
) -> list[Patch]:
    """A random square of each patch's image: does the position matter, or only the image?"""
    return [source.cut(patch.image, random_crop(random, len(patch.pixels), crop)) for patch in patches]


def random_patches(
    source: PatchSource, random: np.random.Generator, side: int, crop: int, pair: Sequence[int]
) -> Iterator[Patch]:
    """Random squares of images of other classes, endlessly; an image comes again after all the others.

    Args:
        source: of the images; at least one must be of another class.
        random: the generator.
        side: of the squares, pixels.
        crop: side of the network's input, pixels.
        pair: the two classes, whose own images give no patch.
    """
    while True:
        for row in random.permutation(len(source)):
            if source.class_of(int(row)) not in pair:
                yield source.cut(int(row), random_crop(random, side, crop))


def top_logit_patches(
    forward: Forward, pool: Sequence[Patch], target: int, count: int, side: int, gray: Pixels, batch_size: int
) -> list[Patch]:
    """The patches of the pool with the largest logit of the target, each pasted alone into the center of a gray image.

    Args:
        forward: of the network.
        pool: natural patches.
        target: class of the logit.
        count: patches wanted.
        side: of the pasted patches, pixels.
        gray: the empty image [y, x, 3].
        batch_size: images in one forward pass.
    """
    images = np.repeat(gray[None], len(pool), axis=0)
    edge = (len(gray) - side) // 2
    for image, patch in zip(images, pool, strict=True):
        image[edge : edge + side, edge : edge + side] = resize(patch.pixels, side)
    logits = torch.round(batched_logits(forward, images, batch_size)[:, target], decimals=4).numpy()
    return [pool[number] for number in np.argsort(-logits, kind="stable")[:count]]


def noise_patches(random: np.random.Generator, pool: Sequence[Patch], count: int) -> list[Patch]:
    """Noise patches with the colors of the pool's patches and the spectrum of natural images."""
    pixels = [patch.pixels for patch in pool]
    return [Patch(noise) for noise in natural_noise(random, count, len(pixels[0]), *color_statistics(pixels))]


def color_statistics(patches: Sequence[NDArray[np.uint8]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean [3] and covariance [3, 3] of the pixels of patches [y, x, 3]."""
    pixels = np.concatenate([patch.reshape(-1, 3) for patch in patches]).astype(np.float64)
    return pixels.mean(axis=0), np.cov(pixels, rowvar=False, bias=True)


def natural_noise(
    random: np.random.Generator, count: int, side: int, mean: NDArray[np.float64], covariance: NDArray[np.float64]
) -> list[NDArray[np.uint8]]:
    """``count`` patches [side, side, 3] of Gaussian noise with these colors and an amplitude that falls as 1 / f.

    That is the spectrum of natural images (Field 1987), and it is the same at every size of the patch.

    Args:
        random: the generator.
        count: patches wanted.
        side: of a patch, pixels.
        mean: [3] of the colors, 0..255.
        covariance: [3, 3] of the colors.
    """
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side))
    amplitude = 1 / np.maximum(frequency, 1 / side)
    amplitude /= np.sqrt(np.mean(amplitude**2))  # keeps the variance of the white noise
    white = random.normal(size=(count, 3, side, side))
    fields = np.fft.ifft2(np.fft.fft2(white) * amplitude).real
    mixing = np.linalg.cholesky(covariance + 1e-6 * np.eye(3))
    pixels = np.einsum("dc,ncyx->nyxd", mixing, fields) + mean
    return list(np.rint(np.clip(pixels, 0, 255)).astype(np.uint8))
