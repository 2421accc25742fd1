"""One group of patches: choose on one half of the images, measure on the other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from pipeline.patch.choice import best_dynamic, best_static, taken
from pipeline.patch.sources import Patch
from pipeline.patch.squares import CORNERS
from pipeline.patch.trials import Answers, Forward, Pixels, Trial, answers


@dataclass(frozen=True)
class Search:
    """What every group is given alike.

    Attributes:
        forward: logits [picture, class] of pictures uint8 [picture, 3, y, x].
        classes: source and target.
        sides: of a pasted patch, pixels; each is tried in every corner.
        curve: sides at which the softmax is followed, pixels.
        kept: patches that go on to the measurement.
        searched: pictures of the first half [image, y, x, 3], all of them tried with every patch.
        measured: pictures of the second half [image, y, x, 3].
        followed: how many of ``measured``, from the start, give the curves.
        batch_size: pictures in one pass.
        done: told how many pictures were answered.
    """

    forward: Forward
    classes: tuple[int, int]
    sides: tuple[int, ...]
    curve: tuple[int, ...]
    kept: int
    searched: Pixels
    measured: Pixels
    followed: int
    batch_size: int
    done: Callable[[int], None] = lambda _count: None

    @property
    def configurations(self) -> list[tuple[int, int]]:
        """Every (side, corner)."""
        return list(product(self.sides, range(len(CORNERS))))

    def passes(self, patches: int) -> int:
        """Pictures that the network answers for a group of so many patches."""
        kept = min(self.kept, patches)
        ways = len(self.configurations)
        return (
            ways * (patches * len(self.searched) + kept * len(self.measured)) + kept * len(self.curve) * self.followed
        )


@dataclass(frozen=True)
class Outcome:
    """What the chosen configuration of each patch does to each image; all arrays [patch, image].

    Attributes:
        becomes: the target has the largest logit.
        leaves: another class than the image's own has.
        target, source: softmax of both.
    """

    becomes: NDArray[np.bool_]
    leaves: NDArray[np.bool_]
    target: NDArray[np.float32]
    source: NDArray[np.float32]


@dataclass(frozen=True)
class Result:
    """What came out for a group.

    Attributes:
        tried: patches that were tried.
        patches: the kept ones, best first.
        trials: the static configuration of each.
        static: one configuration for all images.
        dynamic: the best configuration of each image.
        curve: answers at each side of the curve, in the static corner [patch, side, image].
    """

    tried: int
    patches: list[Patch]
    trials: list[Trial]
    static: Outcome
    dynamic: Outcome
    curve: Answers


def run_group(search: Search, patches: Sequence[Patch]) -> Result:
    """Choose size, corner and the kept patches on the searched pictures, and measure them on the others."""
    ways = search.configurations
    everywhere = [Trial(patch, *way) for patch in range(len(patches)) for way in ways]
    first = _answers(search, search.searched, patches, everywhere).shaped(len(patches), len(ways))
    chosen, order = best_static(first, search.classes[1])
    order = order[: search.kept]
    kept, chosen = [patches[number] for number in order], chosen[order]

    everywhere = [Trial(patch, *way) for patch in range(len(kept)) for way in ways]
    second = _answers(search, search.measured, kept, everywhere).shaped(len(kept), len(ways))
    trials = [Trial(patch, *ways[way]) for patch, way in enumerate(chosen)]
    growing = list(_growing(search.curve, trials))
    curve = _answers(search, search.measured[: search.followed], kept, growing).shaped(len(kept), len(search.curve))
    return Result(
        tried=len(patches),
        patches=kept,
        trials=trials,
        static=_outcome(second, chosen, search.classes),
        dynamic=_outcome(second, best_dynamic(second, search.classes[1]), search.classes),
        curve=curve,
    )


def _growing(sides: Sequence[int], trials: Sequence[Trial]) -> Iterator[Trial]:
    for trial in trials:
        for side in sides:
            yield Trial(trial.patch, side, trial.corner)


def _answers(search: Search, pictures: Pixels, patches: Sequence[Patch], trials: Sequence[Trial]) -> Answers:
    pixels, own = [patch.pixels for patch in patches], [patch.own for patch in patches]
    return answers(search.forward, pictures, pixels, own, trials, search.classes, search.batch_size, search.done)


def _outcome(found: Answers, chosen: NDArray[np.int64], classes: tuple[int, int]) -> Outcome:
    source, target = classes
    top = taken(found.top, chosen)
    return Outcome(top == target, top != source, taken(found.target, chosen), taken(found.source, chosen))
