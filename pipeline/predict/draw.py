"""Which samples are looked at, and which stand in for them; all follow from the seed."""

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def draw_rows(image: Rows, count: int, seed: int) -> Rows:
    """``count`` rows of samples, in random order: one of every image before a second one of any.

    The draw looks at ``image`` alone. Row s means the same place at every layer, so layers are tested on the same
    places.

    Args:
        image: [sample] row of each sample's image.
        count: rows wanted; fewer where there are not as many.
        seed: of the draw.
    """
    shuffled = np.random.default_rng([seed, 1]).permutation(len(image))
    by_image = np.argsort(image[shuffled], kind="stable")
    sorted_images = image[shuffled][by_image]
    turn = np.empty(len(image), np.int64)
    turn[by_image] = np.arange(len(image)) - np.searchsorted(sorted_images, sorted_images)
    chosen: Rows = shuffled[np.argsort(turn, kind="stable")[:count]]
    return chosen


def partners(image: Rows, first: int = 1) -> Rows:
    """For each drawn sample, another one of another image: the next such one, ``first`` or more places further on.

    Args:
        image: [sample] row of each drawn sample's image; of two images at least.
        first: where the search starts, so that two sets of partners can differ.

    Raises:
        ValueError: all samples are of one image.
    """
    count = len(image)
    found = np.full(count, -1)
    for step in range(first, first + count):
        candidate = (np.arange(count) + step) % count
        fits = (found < 0) & (image[candidate] != image)
        found[fits] = candidate[fits]
        if (found >= 0).all():
            return found
    raise ValueError("every sample is of the same image")
