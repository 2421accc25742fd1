"""The experiment on one group of patches: choose on one half of the images, measure on the other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.patch.paste import CORNERS, Forward, Pixels, Placement, Predictions, predict_pasted
from pipeline.patch.patches import Patch

Scalar = TypeVar("Scalar", bound=np.generic)

DECIMALS = 4  # further decimals of a softmax depend on the order of additions and must not decide a choice


@dataclass(frozen=True)
class Search:
    """The inputs that are the same for every group.

    Attributes:
        forward: of the network.
        classes: source and target.
        sides: of a pasted patch, pixels; each is tried in every corner.
        curve: sides at which the softmax is measured, pixels.
        keep: patches that are measured.
        searched: images of the first half [image, y, x, 3], all of them tried with every patch.
        measured: images of the second half [image, y, x, 3].
        curve_images: how many of ``measured``, from the start, are used for the curves.
        batch_size: images in one forward pass.
        done: called with the number of newly predicted images.
    """

    forward: Forward
    classes: tuple[int, int]
    sides: tuple[int, ...]
    curve: tuple[int, ...]
    keep: int
    searched: Pixels
    measured: Pixels
    curve_images: int
    batch_size: int
    done: Callable[[int], None] = lambda _count: None

    @property
    def configurations(self) -> list[tuple[int, int]]:
        """Every (side, corner)."""
        return list(product(self.sides, range(len(CORNERS))))

    def prediction_count(self, patches: int) -> int:
        """Images that the network evaluates for a group of this many patches."""
        kept = min(self.keep, patches)
        configurations = len(self.configurations)
        return (
            configurations * (patches * len(self.searched) + kept * len(self.measured))
            + kept * len(self.curve) * self.curve_images
        )


@dataclass(frozen=True)
class Outcome:
    """The effect of each patch on each image, in the chosen configuration; all arrays [patch, image].

    Attributes:
        becomes: the target has the largest logit.
        leaves: another class than the image's own has the largest logit.
        target, source: softmax of both.
    """

    becomes: NDArray[np.bool_]
    leaves: NDArray[np.bool_]
    target: NDArray[np.float32]
    source: NDArray[np.float32]


@dataclass(frozen=True)
class Result:
    """The results of a group.

    Attributes:
        tried: number of patches that were tried.
        patches: the kept ones, best first.
        placements: the static placement of each.
        static: one configuration for all images.
        dynamic: the best configuration of each image.
        curve: predictions at each side of the curve, in the static corner [patch, side, image].
    """

    tried: int
    patches: list[Patch]
    placements: list[Placement]
    static: Outcome
    dynamic: Outcome
    curve: Predictions


def run_group(search: Search, patches: Sequence[Patch]) -> Result:
    """Choose the size, the corner and the kept patches on the searched images, and measure them on the others."""
    configurations = search.configurations
    placements = [Placement(patch, *chosen) for patch in range(len(patches)) for chosen in configurations]
    first = _predict(search, search.searched, patches, placements).reshape(len(patches), len(configurations))
    static, order = best_static(first, search.classes[1])
    order = order[: search.keep]
    kept, static = [patches[number] for number in order], static[order]

    placements = [Placement(patch, *chosen) for patch in range(len(kept)) for chosen in configurations]
    second = _predict(search, search.measured, kept, placements).reshape(len(kept), len(configurations))
    placements = [Placement(patch, *configurations[index]) for patch, index in enumerate(static)]
    curve_placements = list(_curve_placements(search.curve, placements))
    curve = _predict(search, search.measured[: search.curve_images], kept, curve_placements)
    return Result(
        tried=len(patches),
        patches=kept,
        placements=placements,
        static=_outcome(second, static, search.classes),
        dynamic=_outcome(second, best_dynamic(second, search.classes[1]), search.classes),
        curve=curve.reshape(len(kept), len(search.curve)),
    )


def best_static(found: Predictions, target: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One configuration for each patch, and the ranking of the patches, from the predictions for a set of images.

    The best has the largest rate of images predicted as the target; ties go to the larger mean softmax of the target.

    Args:
        found: [patch, configuration, image].
        target: the target class.

    Returns:
        The configuration of each patch [patch], and the patches, best first [patch].
    """
    rate = (found.top == target).mean(axis=2)
    softmax = _rounded(found.target.mean(axis=2))
    # lexsort sorts by its last key first, and is stable
    chosen = np.lexsort((-softmax, -rate), axis=1)[:, 0]
    patch = np.arange(len(chosen))
    order = np.lexsort((-softmax[patch, chosen], -rate[patch, chosen]))
    return chosen, order


def best_dynamic(found: Predictions, target: int) -> NDArray[np.int64]:
    """The best configuration of each patch for each image, known only in hindsight [patch, image].

    One for which the target is predicted comes first, then the one with the largest softmax of the target.

    Args:
        found: [patch, configuration, image].
        target: the target class.
    """
    score = (found.top == target).astype(np.float64) + _rounded(found.target) / 2
    chosen: NDArray[np.int64] = score.argmax(axis=1)
    return chosen


def select(values: NDArray[Scalar], configuration: NDArray[np.int64]) -> NDArray[Scalar]:
    """The values [patch, configuration, image] at the chosen configurations, [patch, image].

    Args:
        values: one field of the predictions.
        configuration: [patch], the same for all images, or [patch, image].
    """
    index = configuration[:, None] if configuration.ndim == 1 else configuration
    index = np.broadcast_to(index, (values.shape[0], values.shape[2]))
    return np.take_along_axis(values, index[:, None], axis=1)[:, 0]


def _rounded(softmax: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(np.round(softmax.astype(np.float64), DECIMALS), np.float64)


def _curve_placements(sides: Sequence[int], placements: Sequence[Placement]) -> Iterator[Placement]:
    for placement in placements:
        for side in sides:
            yield Placement(placement.patch, side, placement.corner)


def _predict(search: Search, images: Pixels, patches: Sequence[Patch], placements: Sequence[Placement]) -> Predictions:
    pixels, own = [patch.pixels for patch in patches], [patch.own for patch in patches]
    return predict_pasted(
        search.forward, images, pixels, own, placements, search.classes, search.batch_size, search.done
    )


def _outcome(found: Predictions, configuration: NDArray[np.int64], classes: tuple[int, int]) -> Outcome:
    source, target = classes
    top = select(found.top, configuration)
    softmax = select(found.target, configuration), select(found.source, configuration)
    return Outcome(top == target, top != source, *softmax)
