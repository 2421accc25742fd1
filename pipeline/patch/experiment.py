"""The experiment on one pair of classes, source → target, with each group of patches.

Size, corner and patches are chosen on one half of the source's images and measured on the other half.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.config.patch import PatchSettings
from pipeline.core.progress import progress
from pipeline.patch.paste import CORNERS, Forward, Pixels, Placement, Predictions, pasted_side, predict_pasted
from pipeline.patch.patches import (
    GROUPS,
    Patch,
    PatchSource,
    noise_patches,
    random_patches,
    same_image_patches,
    top_logit_patches,
)

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
        selected = min(self.keep, patches)
        configurations = len(self.configurations)
        return (
            configurations * (patches * len(self.searched) + selected * len(self.measured))
            + selected * len(self.curve) * self.curve_images
        )


@dataclass(frozen=True)
class Outcome:
    """The effect of each patch on each image, in the chosen configuration; all arrays [patch, image].

    Attributes:
        targeted: the target has the largest logit.
        untargeted: another class than the image's own has the largest logit.
        target, source: softmax of both.
    """

    targeted: NDArray[np.bool_]
    untargeted: NDArray[np.bool_]
    target: NDArray[np.float32]
    source: NDArray[np.float32]


@dataclass(frozen=True)
class Result:
    """The results of a group.

    Attributes:
        patches_tested: number of patches before the selection.
        patches: the selected ones, best first.
        placements: the static placement of each.
        static: one configuration for all images.
        dynamic: the best configuration of each image.
        curve: predictions at each side of the curve, in the static corner [patch, side, image].
    """

    patches_tested: int
    patches: list[Patch]
    placements: list[Placement]
    static: Outcome
    dynamic: Outcome
    curve: Predictions


def run_group(search: Search, patches: Sequence[Patch]) -> Result:
    """Choose the size, the corner and the patches on the searched images, and measure them on the others."""
    configurations = search.configurations
    placements = [Placement(patch, *chosen) for patch in range(len(patches)) for chosen in configurations]
    first = _predict(search, search.searched, patches, placements).reshape(len(patches), len(configurations))
    static, order = best_static(first, search.classes[1])
    order = order[: search.keep]
    selected, static = [patches[number] for number in order], static[order]

    placements = [Placement(patch, *chosen) for patch in range(len(selected)) for chosen in configurations]
    second = _predict(search, search.measured, selected, placements).reshape(len(selected), len(configurations))
    placements = [Placement(patch, *configurations[index]) for patch, index in enumerate(static)]
    curve_placements = list(_curve_placements(search.curve, placements))
    curve = _predict(search, search.measured[: search.curve_images], selected, curve_placements)
    return Result(
        patches_tested=len(patches),
        patches=selected,
        placements=placements,
        static=_outcome(second, static, search.classes),
        dynamic=_outcome(second, best_dynamic(second, search.classes[1]), search.classes),
        curve=curve.reshape(len(selected), len(search.curve)),
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


@dataclass(frozen=True)
class ClassImages:
    """The images of one class that the network evaluated.

    Attributes:
        listed: number of images of the class in the whole set.
        rows: [image] rows of the evaluated ones.
        pixels: [image, y, x, 3] as the network sees them.
        softmax: [image, class].
        class_: the class.
    """

    listed: int
    rows: NDArray[np.int64]
    pixels: Pixels
    softmax: NDArray[np.float32]
    class_: int

    @property
    def correct(self) -> NDArray[np.int64]:
        """Indices of the images that the network classifies correctly."""
        return np.flatnonzero(self.softmax.argmax(axis=1) == self.class_) if len(self.rows) else np.zeros(0, np.int64)


@dataclass(frozen=True)
class PairTest:
    """The test of whether patches turn images of the source class into the target class.

    Attributes:
        images: of the source.
        target: the target class.
        candidates: the atlas's patches, best first.
        source: of the control patches.
        forward: of the network.
        side: of a patch that is cut out, pixels.
        gray: the empty image [y, x, 3].
        settings: of the stage.
        seed: of the run.
    """

    images: ClassImages
    target: int
    candidates: list[Patch]
    source: PatchSource
    forward: Forward
    side: int
    gray: Pixels
    settings: PatchSettings
    seed: int

    @property
    def name(self) -> str:
        """``source-target``, as in the page's address."""
        return f"{self.images.class_}-{self.target}"

    @property
    def halves(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Indices of the images to choose on and of those to measure on."""
        correct = self.images.correct
        first, second = random_halves(len(correct), self.random(0))
        return correct[first], correct[second]

    def random(self, purpose: int) -> np.random.Generator:
        """The generator for one purpose: 0 halves, 1 crops, 2 noise, 3 bootstrap, 4 crops of the same images."""
        return np.random.default_rng([self.seed, self.images.class_, self.target, purpose])

    def skip_reason(self, source: str, target: str) -> str | None:
        """Why the test cannot be made, as a sentence with the names of both classes; None where it can."""
        correct, minimum = len(self.images.correct), self.settings.min_images
        if correct // 2 < minimum:
            return (
                f"Too few images of {source} for a test: {self.images.listed} in the image set, "
                f"{len(self.images.rows)} evaluated, {correct} classified correctly; {2 * minimum} are needed, "
                f"{minimum} to choose on and {minimum} to measure on."
            )
        if not self.candidates:
            return (
                f"No candidates: no cell on the side of {target} whose mean attribution to {target} is larger than to "
                f"{source} has an exemplar from an image of another class."
            )
        return None

    def groups(self) -> dict[str, list[Patch]]:
        """Equally many patches of each group."""
        count, crop = len(self.candidates), len(self.gray)
        pair = (self.images.class_, self.target)
        natural = random_patches(self.source, self.random(1), self.side, crop, pair)
        random = [next(natural) for _ in range(count)]
        pool = [next(natural) for _ in range(count * self.settings.pool)]
        side = pasted_side(max(self.settings.sizes), crop)
        logit = top_logit_patches(self.forward, pool, self.target, count, side, self.gray, self.settings.batch_size)
        noise = noise_patches(self.random(2), pool, count)
        same_image = same_image_patches(self.source, self.random(4), self.candidates, crop)
        return dict(zip(GROUPS, (self.candidates, same_image, logit, random, noise), strict=True))

    def search(self) -> Search:
        """The inputs that are the same for every group."""
        settings, crop = self.settings, len(self.gray)
        searched, measured = (self.images.pixels[indices] for indices in self.halves)
        return Search(
            forward=self.forward,
            classes=(self.images.class_, self.target),
            sides=tuple(dict.fromkeys(pasted_side(share, crop) for share in settings.sizes)),
            curve=tuple(pasted_side(share, crop) for share in settings.curve),
            keep=settings.keep,
            searched=searched[: settings.search_images],
            measured=measured,
            curve_images=min(len(measured), settings.search_images),
            batch_size=settings.batch_size,
        )

    def run(self, description: str) -> dict[str, Result]:
        """The results of all groups.

        Args:
            description: shown beside the progress.
        """
        groups, search = self.groups(), self.search()
        total = sum(search.prediction_count(len(patches)) for patches in groups.values())
        with progress(description, total, "image") as bar:

            def done(count: int) -> None:
                bar.update(count)

            search = replace(search, done=done)
            return {group: run_group(search, patches) for group, patches in groups.items()}


def random_halves(count: int, random: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices below ``count`` in two random halves; with an odd count the second is larger."""
    order = random.permutation(count)
    return order[: count // 2], order[count // 2 :]
