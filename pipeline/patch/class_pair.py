"""The test of one pair of classes, source → target: its images, its groups of patches, and their results."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.config.patch import PatchSettings
from pipeline.core.progress import progress
from pipeline.patch.controls import GROUPS, elsewhere_patches, noise_patches, random_patches, top_logit_patches
from pipeline.patch.experiment import Result, Search, run_group
from pipeline.patch.paste import Forward, Pixels, pasted_side
from pipeline.patch.patches import Patch, PatchSource


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
        """The generator for one purpose: 0 halves, 1 squares, 2 noise, 3 bootstrap, 4 squares of the same images."""
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
        elsewhere = elsewhere_patches(self.source, self.random(4), self.candidates, crop)
        return dict(zip(GROUPS, (self.candidates, elsewhere, logit, random, noise), strict=True))

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
