"""The groups of patches: the atlas's candidates and the controls that they are compared with.

Candidates are exemplars of the cells at the target's end of a comparison. Three control groups are independent of the
atlas, one only uses its images. Every group has equally many patches, cut as squares of the same side.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.core.grid_levels import GridLevel
from pipeline.images.crops import Crop
from pipeline.patch.paste import Forward, Pixels, batched_logits, resize

GROUPS = ("atlas", "same_image", "logit", "random", "noise")
NATURAL = ("logit", "random")  # natural patches that are independent of the atlas


@dataclass(frozen=True)
class Exemplar:
    """An exemplar of a cell.

    Attributes:
        sample: its row in activations.
        score: of its cell, see :func:`cell_scores`.
        size: cells per side of the cell's level.
        cell: (row, column) of the cell.
    """

    sample: int
    score: float
    size: int
    cell: tuple[int, int]


@dataclass(frozen=True)
class Patch:
    """A patch and its origin.

    Attributes:
        pixels: [y, x, 3].
        image: row of the image it was cut from, -1 for noise.
        own: class of that image, -1 for noise.
        square: its square in the network's crop of the image, None for noise.
        exemplar: the exemplar that it shows, None for control patches.
    """

    pixels: Pixels
    image: int = -1
    own: int = -1
    square: Crop | None = None
    exemplar: Exemplar | None = None


class PatchSource:
    """The images that patches are cut from, each as the network sees it, and their classes."""

    def __init__(self, load: Callable[[int], Pixels], labels: NDArray[np.int64], forward: Forward) -> None:
        """No image is loaded yet.

        Args:
            load: returns the network's crop [y, x, 3] of the image in a row.
            labels: [image] the network's class, -1 where it is not known.
            forward: of the network.
        """
        self._load, self._labels, self._forward = load, labels, forward
        self._predicted: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._labels)

    def class_of(self, row: int) -> int:
        """The image's label, or the network's prediction where there is none."""
        if self._labels[row] >= 0:
            return int(self._labels[row])
        if row not in self._predicted:
            self._predicted[row] = int(batched_logits(self._forward, self._load(row)[None], 1).argmax())
        return self._predicted[row]

    def cut(self, row: int, square: Crop, exemplar: Exemplar | None = None) -> Patch:
        """The patch in this square of an image."""
        rows, columns = (slice(edge, edge + square.side) for edge in (square.top, square.left))
        return Patch(self._load(row)[rows, columns].copy(), row, self.class_of(row), square, exemplar)


def cell_scores(cells: GridLevel, source: int, target: int, *, rightwards: bool) -> NDArray[np.float64]:
    """The distance of a cell toward the target's end times its mean attribution to the target minus to the source.

    Args:
        cells: of one level.
        source: class of the images.
        target: class that the patches should lead to.
        rightwards: the target's end is the right edge.

    Returns:
        [cell] above 0 for drawn cells in the target's half of the atlas with a larger attribution to the target; 0 for
        all others.
    """
    distance = 2 * (cells.cell[:, 1] + 0.5) / cells.size - 1
    distance = distance if rightwards else -distance
    difference = cells.attribution[:, target].astype(np.float64) - cells.attribution[:, source]
    scores: NDArray[np.float64] = np.where(cells.drawn, np.maximum(distance, 0) * np.maximum(difference, 0), 0)
    return scores


def ranked_exemplars(levels: Sequence[GridLevel], source: int, target: int, *, rightwards: bool) -> Iterator[Exemplar]:
    """The exemplars of the cells at the target's end, best cell first, each sample once.

    Args:
        levels: of the comparison's grid; cells of equal score keep this order.
        source: class of the images.
        target: class that the patches should lead to.
        rightwards: the target's end is the right edge.
    """
    scores = [cell_scores(cells, source, target, rightwards=rightwards) for cells in levels]
    level_index = np.repeat(np.arange(len(levels)), [len(values) for values in scores])
    cell_index = np.concatenate([np.arange(len(values)) for values in scores])
    flat = np.concatenate(scores)
    seen: set[int] = set()
    for rank in np.argsort(-flat, kind="stable"):
        if flat[rank] <= 0:
            return
        cells, row = levels[level_index[rank]], int(cell_index[rank])
        cell = (int(cells.cell[row, 0]), int(cells.cell[row, 1]))
        for sample in cells.exemplar[row]:
            if sample >= 0 and int(sample) not in seen:
                seen.add(int(sample))
                yield Exemplar(int(sample), float(flat[rank]), cells.size, cell)


def atlas_patches(
    source: PatchSource,
    exemplars: Iterable[Exemplar],
    image: NDArray[np.int64],
    square: Callable[[int], Crop],
    pair: Sequence[int],
    count: int,
) -> list[Patch]:
    """Patches of the first ``count`` exemplars from images of other classes, one per image.

    Args:
        source: of the images.
        exemplars: best first.
        image: [sample] row of each sample's image.
        square: returns the square around a sample.
        pair: the two classes, whose own images give no patch.
        count: patches wanted; fewer where the atlas has no more.
    """
    patches: list[Patch] = []
    used: set[int] = set()
    for exemplar in exemplars:
        row = int(image[exemplar.sample])
        if row in used or source.class_of(row) in pair:
            continue
        used.add(row)
        patches.append(source.cut(row, square(exemplar.sample), exemplar))
        if len(patches) == count:
            break
    return patches


def random_crop(random: np.random.Generator, side: int, crop: int) -> Crop:
    """A crop of the input, uniformly at random."""
    left, top = random.integers(0, crop - side + 1, 2)
    return Crop(int(left), int(top), side)


def same_image_patches(
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
