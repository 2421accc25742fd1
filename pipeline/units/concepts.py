"""Units against annotated concepts: intersection over union of activation maps with masks (Network Dissection).

Bau et al. 2017: a unit's map is enlarged to the image and counts where it is above the activation that 0.5 % of all
positions exceed; a concept counts where its mask is. Both are counted over all images. An image set that has masks says
so by a method ``masks``, see :class:`pipeline.images.image_set.ImageSet`.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from pipeline.config.model import PreprocessingSettings
from pipeline.core.bootstrap import Interval, draw_counts, percentile_interval
from pipeline.core.errors import DataError
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import read_manifest
from pipeline.images.masks import Masks, crop_mask, masks_of
from pipeline.parallel.pool import Pool
from pipeline.units.activation_maps import EXCEEDED
from pipeline.units.scan import Scan, Scanner, ScannerSpec, scan_images, sum_over_images

RESAMPLES = 2000
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Overlap:
    """Pixels of the network's crops, counted over images.

    Attributes:
        both: where unit and concept are, by concept, [unit].
        concept: where the concept is, by concept.
        active: where the unit is above its threshold, [unit].
    """

    both: Mapping[str, Ints]
    concept: Mapping[str, int]
    active: Ints

    def __add__(self, other: "Overlap") -> "Overlap":
        nothing = np.zeros_like(self.active)
        names = sorted({*self.both, *other.both})
        return Overlap(
            {name: self.both.get(name, nothing) + other.both.get(name, nothing) for name in names},
            Counter(self.concept) + Counter(other.concept),
            self.active + other.active,
        )

    def iou(self) -> tuple[list[str], Doubles]:
        """Names of the concepts, and the intersection over union of each unit with each, [unit, concept], 0..1."""
        names = sorted(self.both)
        found = np.zeros((len(self.active), len(names)))
        for column, name in enumerate(names):
            union = self.active + self.concept[name] - self.both[name]
            found[:, column] = self.both[name] / np.maximum(union, 1)
        return names, found

    def mean_best(self, seed: int) -> Interval:
        """The mean over units of the largest overlap with a concept, with a 95 % interval over resampled units.

        Args:
            seed: of the resampling.
        """
        _, found = self.iou()
        best = found.max(axis=1, initial=0)
        counts = draw_counts(np.random.default_rng([seed, len(best)]), len(best), RESAMPLES)
        return percentile_interval(float(best.mean()), counts @ best / len(best))

    def best(self, unit: int) -> tuple[str, float] | None:
        """The concept of the largest overlap with a unit, and the overlap; None without any."""
        names, found = self.iou()
        if not names or not found[unit].any():
            return None
        column = int(found[unit].argmax())
        return names[column], float(found[unit, column])


@dataclass(frozen=True, eq=False)
class OverlapSpec:
    """Everything that :class:`OverlapCounter` is built from; small enough to travel to a worker.

    Attributes:
        scanner: of the units.
        thresholds: of each unit, [unit].
        preprocessing: of the network.
    """

    scanner: ScannerSpec
    thresholds: Doubles
    preprocessing: PreprocessingSettings

    def __call__(self) -> "OverlapCounter":
        """The counter, in a worker."""
        masks = masks_of(open_image_set(self.scanner.images), read_manifest(self.scanner.manifest))
        if masks is None:
            raise DataError("images: expected an image set with masks, found one without; run 'atlas run' again")
        return OverlapCounter(self.scanner(), self.thresholds, masks, self.preprocessing)


class OverlapCounter:
    """Counts where units and concepts meet."""

    def __init__(
        self,
        scanner: Scanner,
        thresholds: Doubles,
        masks: Callable[[int], Masks],
        preprocessing: PreprocessingSettings,
    ) -> None:
        """Prepare.

        Args:
            scanner: of the units.
            thresholds: of each unit, [unit].
            masks: of the image in a row.
            preprocessing: of the network.
        """
        self._scanner, self._masks, self._preprocessing = scanner, masks, preprocessing
        self._thresholds = torch.from_numpy(thresholds.astype(np.float32))[:, None, None]

    def __call__(self, rows: range) -> Overlap:
        """The counts of the images in these rows."""
        return reduce(Overlap.__add__, [self._of_image(row) for row in rows])

    def _of_image(self, row: int) -> Overlap:
        side = self._preprocessing.crop
        maps = torch.from_numpy(self._scanner.maps(row, range(len(self._thresholds))))
        enlarged = interpolate(maps[None], (side, side), mode="bilinear", align_corners=False)[0]
        active = (enlarged > self._thresholds).flatten(1).numpy()
        both, concept = {}, {}
        for name, mask in self._masks(row).items():
            inside = crop_mask(mask, self._preprocessing).ravel()
            both[name], concept[name] = active[:, inside].sum(axis=1), int(inside.sum())
        return Overlap(both, concept, active.sum(axis=1))


@dataclass(frozen=True, eq=False)
class Concepts:
    """What the masks of an image set say of a layer.

    Attributes:
        units: overlap of the units with the concepts.
        rotated: overlap of as many axes of a random rotation of the channels; as a control: concepts that belong to
            single units are lost in it (Bau et al. 2017).
    """

    units: Overlap
    rotated: Overlap


def find_concepts(
    pool: Pool, scanner: ScannerSpec, scan: Scan, preprocessing: PreprocessingSettings, images: int, seed: int
) -> Concepts:
    """Pass over all images twice more: for the thresholds of the rotated axes, and to count.

    Args:
        pool: the workers.
        scanner: of the units.
        scan: of the units, of all images.
        preprocessing: of the network.
        images: rows of the list of images, at least one.
        seed: of the rotation.
    """
    turned = replace(scanner, rotation=seed)
    found = [
        count_overlap(pool, OverlapSpec(spec, one.exceeded_at(EXCEEDED), preprocessing), images)
        for spec, one in ((scanner, scan), (turned, scan_images(pool, turned, images)))
    ]
    return Concepts(*found)


def count_overlap(pool: Pool, spec: OverlapSpec, images: int) -> Overlap:
    """Count over all images.

    Args:
        pool: the workers.
        spec: of their counters.
        images: rows of the list of images, at least one.
    """
    return sum_over_images(pool, spec, images, f"units {spec.scanner.layer} concepts")
