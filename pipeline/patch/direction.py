"""One direction, source → target: its images, its groups of patches, and what came out."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.core.progress import progress
from pipeline.patch.config import PatchSettings
from pipeline.patch.experiment import Result, Search, run_group
from pipeline.patch.groups import GROUPS, at_random, best_by_logit, elsewhere, noise_like
from pipeline.patch.images import halves
from pipeline.patch.sources import Patch, Sources
from pipeline.patch.squares import pasted_side
from pipeline.patch.trials import Forward, Pixels


@dataclass(frozen=True)
class Subjects:
    """The images of one class that the network was shown.

    Attributes:
        listed: images of the class in the whole set.
        rows: [image] rows of those that were shown.
        pictures: [image, y, x, 3] as the network sees them.
        softmax: [image, class].
        class_: the class.
    """

    listed: int
    rows: NDArray[np.int64]
    pictures: Pixels
    softmax: NDArray[np.float32]
    class_: int

    @property
    def right(self) -> NDArray[np.int64]:
        """Numbers of the images that the network gets right."""
        return np.flatnonzero(self.softmax.argmax(axis=1) == self.class_) if len(self.rows) else np.zeros(0, np.int64)


@dataclass(frozen=True)
class Direction:
    """Everything that the two classes' test in one direction needs; ``run`` carries it out.

    Attributes:
        subjects: images of the source.
        target: the class that they should turn into.
        proposed: the atlas's candidates, best first.
        sources: of the controls' patches.
        forward: logits [picture, class] of pictures uint8 [picture, 3, y, x].
        side: of a patch that is cut out, pixels.
        grey: the empty picture [y, x, 3].
        settings: of the stage.
        seed: of the run.
    """

    subjects: Subjects
    target: int
    proposed: list[Patch]
    sources: Sources
    forward: Forward
    side: int
    grey: Pixels
    settings: PatchSettings
    seed: int

    @property
    def name(self) -> str:
        """As the page's address has it."""
        return f"{self.subjects.class_}-{self.target}"

    @property
    def split(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Numbers of the images to choose on and of those to measure on."""
        right = self.subjects.right
        first, second = halves(len(right), self.random(0))
        return right[first], right[second]

    def random(self, purpose: int) -> np.random.Generator:
        """Chance for one purpose: 0 the halves, 1 squares, 2 noise, 3 the bootstrap, 4 other places."""
        return np.random.default_rng([self.seed, self.subjects.class_, self.target, purpose])

    def hindrance(self, source: str, target: str) -> str | None:
        """Why there is no test, in words; None where there is one."""
        right, need = len(self.subjects.right), self.settings.min_images
        if right // 2 < need:
            return (
                f"Too few images of {source} for a test: {self.subjects.listed} in the set, "
                f"{len(self.subjects.rows)} shown to the network, {right} of them got right; "
                f"{2 * need} are needed, {need} to choose on and {need} to measure on."
            )
        if not self.proposed:
            return (
                f"No candidates: none of the atlas’s cells on the side of {target} that speak for it more than for "
                f"{source} has an exemplar from an image of another class."
            )
        return None

    def groups(self) -> dict[str, list[Patch]]:
        """Equally many patches of each group."""
        count, crop = len(self.proposed), len(self.grey)
        pair = (self.subjects.class_, self.target)
        drawn = at_random(self.sources, self.random(1), self.side, crop, pair)
        random = [next(drawn) for _ in range(count)]
        pool = [next(drawn) for _ in range(count * self.settings.pool)]
        shown = pasted_side(max(self.settings.sizes), crop)
        best = best_by_logit(self.forward, pool, self.target, count, shown, self.grey, self.settings.batch_size)
        noise = noise_like(self.random(2), pool, count)
        same = elsewhere(self.sources, self.random(4), self.proposed, crop)
        return dict(zip(GROUPS, (self.proposed, same, best, random, noise), strict=True))

    def search(self) -> Search:
        """What every group is given alike."""
        settings, crop = self.settings, len(self.grey)
        searched, measured = (self.subjects.pictures[numbers] for numbers in self.split)
        return Search(
            forward=self.forward,
            classes=(self.subjects.class_, self.target),
            sides=tuple(dict.fromkeys(pasted_side(share, crop) for share in settings.sizes)),
            curve=tuple(pasted_side(share, crop) for share in settings.curve),
            kept=settings.kept,
            searched=searched[: settings.search_images],
            measured=measured,
            followed=min(len(measured), settings.search_images),
            batch_size=settings.batch_size,
        )

    def measured(self, what: str) -> dict[str, Result]:
        """The results of all groups."""
        groups, search = self.groups(), self.search()
        total = sum(search.passes(len(patches)) for patches in groups.values())
        with progress(what, total, "picture") as bar:

            def done(count: int) -> None:
                bar.update(count)

            search = replace(search, done=done)
            return {group: run_group(search, patches) for group, patches in groups.items()}
