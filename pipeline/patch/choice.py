"""Which size, corner and patches to take: for all images at once, or for each image by itself."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.patch.trials import Answers

Kind = TypeVar("Kind", bound=np.generic)

DECIMALS = 4  # softmax beyond these follows the order of additions, and may decide nothing


def best_static(found: Answers, target: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One configuration for each patch, and the order of the patches, by what a group of images answers.

    The best turns most images into the target; equal ones are told apart by the mean softmax of the target.

    Args:
        found: [patch, configuration, image].
        target: the class aimed at.

    Returns:
        The configuration of each patch [patch], and the patches, best first [patch].
    """
    flips = (found.top == target).mean(axis=2)
    softmax = _rounded(found.target.mean(axis=2))
    # lexsort sorts by its last key first, and keeps the order of what is equal
    chosen = np.lexsort((-softmax, -flips), axis=1)[:, 0]
    patch = np.arange(len(chosen))
    order = np.lexsort((-softmax[patch, chosen], -flips[patch, chosen]))
    return chosen, order


def best_dynamic(found: Answers, target: int) -> NDArray[np.int64]:
    """The best configuration of each patch for each image, known only after the fact [patch, image].

    One that turns the image into the target comes first, then the one with the largest softmax of the target.

    Args:
        found: [patch, configuration, image].
        target: the class aimed at.
    """
    worth = (found.top == target).astype(np.float64) + _rounded(found.target) / 2
    chosen: NDArray[np.int64] = worth.argmax(axis=1)
    return chosen


def taken(values: NDArray[Kind], configuration: NDArray[np.int64]) -> NDArray[Kind]:
    """The values [patch, configuration, image] of the chosen configurations, [patch, image].

    Args:
        values: of one kind of answer.
        configuration: [patch], the same for all images, or [patch, image].
    """
    index = configuration[:, None] if configuration.ndim == 1 else configuration
    index = np.broadcast_to(index, (values.shape[0], values.shape[2]))
    return np.take_along_axis(values, index[:, None], axis=1)[:, 0]


def _rounded(softmax: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(np.round(softmax.astype(np.float64), DECIMALS), np.float64)
