"""Which images of a class are used, and in which half."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def spread_evenly(rows: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """At most ``limit`` of the rows, at equal steps through all of them."""
    if len(rows) <= limit:
        return rows
    return rows[np.floor(np.arange(limit) * len(rows) / limit).astype(np.int64)]


def first_of_each(digests: Sequence[str]) -> NDArray[np.int64]:
    """Where each digest comes first, ascending: the same content twice would count twice, and in both halves."""
    return np.array(sorted({digest: place for place, digest in reversed(list(enumerate(digests)))}.values()), np.int64)


def halves(count: int, random: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers below ``count`` in two halves by chance; an odd one goes to the second."""
    order = random.permutation(count)
    return order[: count // 2], order[count // 2 :]


def spread_examples(target: NDArray[np.float32], count: int) -> list[tuple[int, int]]:
    """Pairs (patch, image) that show successes and failures alike.

    Each image meets one patch, in turn. The pairs are put in order of the target's softmax, and ``count`` of them are
    taken at equal steps, the largest and the smallest among them.

    Args:
        target: softmax of the target with the patch in place [patch, image].
        count: pairs wanted.
    """
    patches, images = target.shape
    patch, image = np.arange(images) % patches, np.arange(images)
    order = np.argsort(-np.round(target[patch, image].astype(np.float64), 4), kind="stable")
    steps = np.unique(np.rint(np.linspace(0, images - 1, min(count, images))).astype(np.int64))
    return [(int(patch[at]), int(image[at])) for at in order[steps]]
