"""Where the patches come from: the atlas, three controls that know nothing of it, and one that knows its images only.

Every group holds equally many patches, cut as squares of the same side.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.patch.candidates import Exemplar
from pipeline.patch.noise import colour_statistics, natural_noise
from pipeline.patch.sources import Patch, Sources
from pipeline.patch.squares import Square, anywhere
from pipeline.patch.trials import Forward, Pixels, in_batches, resized

GROUPS = ("atlas", "elsewhere", "logit", "random", "noise")
NATURAL = ("logit", "random")  # natural patches that owe nothing to the atlas


def from_atlas(
    sources: Sources,
    exemplars: Iterable[Exemplar],
    image: NDArray[np.int64],
    square: Callable[[int], Square],
    pair: Sequence[int],
    count: int,
) -> list[Patch]:
    """The first ``count`` exemplars from images of other classes, one of each image.

    Args:
        sources: of the images.
        exemplars: most promising first.
        image: [sample] row of each sample's image.
        square: the square around a sample.
        pair: the two classes, whose own images give no patch.
        count: patches wanted; fewer where the atlas has no more.
    """
    patches: list[Patch] = []
    used: set[int] = set()
    for exemplar in exemplars:
        row = int(image[exemplar.sample])
        if row in used or sources.class_of(row) in pair:
            continue
        used.add(row)
        patches.append(sources.cut(row, square(exemplar.sample), exemplar))
        if len(patches) == count:
            break
    return patches


def elsewhere(sources: Sources, random: np.random.Generator, patches: Sequence[Patch], crop: int) -> list[Patch]:
    """A square at a random place of each patch's image: does the place matter, or only the image?"""
    return [sources.cut(patch.image, anywhere(random, len(patch.pixels), crop)) for patch in patches]


def at_random(
    sources: Sources, random: np.random.Generator, side: int, crop: int, pair: Sequence[int]
) -> Iterator[Patch]:
    """Squares at random places of images of other classes, without end; an image comes again after all the others.

    Args:
        sources: of the images; at least one must be of another class.
        random: where chance comes from.
        side: of the squares, pixels.
        crop: side of the network's input, pixels.
        pair: the two classes, whose own images give no patch.
    """
    while True:
        for row in random.permutation(len(sources)):
            if sources.class_of(int(row)) not in pair:
                yield sources.cut(int(row), anywhere(random, side, crop))


def best_by_logit(
    forward: Forward, pool: Sequence[Patch], target: int, count: int, side: int, grey: Pixels, batch_size: int
) -> list[Patch]:
    """The patches of the pool with the largest logit of the target, each shown alone in the middle of a grey picture.

    Args:
        forward: logits [picture, class] of pictures uint8 [picture, 3, y, x].
        pool: natural patches.
        target: the class aimed at.
        count: patches wanted.
        side: at which they are shown, pixels.
        grey: the empty picture [y, x, 3].
        batch_size: pictures in one pass.
    """
    pictures = np.repeat(grey[None], len(pool), axis=0)
    edge = (len(grey) - side) // 2
    for picture, patch in zip(pictures, pool, strict=True):
        picture[edge : edge + side, edge : edge + side] = resized(patch.pixels, side)
    logits = torch.round(in_batches(forward, pictures, batch_size)[:, target], decimals=4).numpy()
    return [pool[number] for number in np.argsort(-logits, kind="stable")[:count]]


def noise_like(random: np.random.Generator, pool: Sequence[Patch], count: int) -> list[Patch]:
    """Noise patches with the colours of the pool's patches and the spectrum of natural pictures."""
    pixels = [patch.pixels for patch in pool]
    return [Patch(noise) for noise in natural_noise(random, count, len(pixels[0]), *colour_statistics(pixels))]
