"""Results of all groups => what the page reads and the metrics hold."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.bootstrap import draws
from pipeline.patch.bootstrap import Estimate, estimate, resampled
from pipeline.patch.experiment import Outcome, Result
from pipeline.patch.groups import NATURAL

Content = dict[str, Any]
MEASURES = ("becomes", "leaves", "target", "source")
WAYS = ("static", "dynamic")
DECIMALS = 4


class Resamples:
    """The draws of one direction: every group meets the same draws of images."""

    def __init__(self, random: np.random.Generator, images: int, count: int) -> None:
        """Draw the images.

        Args:
            random: where chance comes from.
            images: measured ones.
            count: resamples.
        """
        self._random, self._count = random, count
        self._images = draws(random, images, count)

    def patches(self, count: int) -> NDArray[np.float64]:
        """Draws of ``count`` patches [resample, patch]."""
        return draws(self._random, count, self._count)

    def means(self, values: NDArray[Any], patches: NDArray[np.float64]) -> NDArray[np.float64]:
        """Resampled means [resample] of values [patch, image]."""
        return resampled(values.astype(np.float64), patches, self._images)

    def of_one(self, values: NDArray[Any]) -> Content:
        """Mean and interval of one patch's values [image], over images alone."""
        means = self.means(values[None], np.ones((self._count, 1)))
        return rounded(estimate(float(values.mean()), means))


def rounded(found: Estimate) -> Content:
    """The estimate as the page reads it."""
    return {name: round(value, DECIMALS) for name, value in asdict(found).items()}


def compared(results: Mapping[str, Result], resamples: Resamples) -> tuple[dict[str, Content], Content]:
    """Pooled rates of each group, and what the atlas adds to each control.

    Args:
        results: by group.
        resamples: of this direction.

    Returns:
        For each group, way and measure the mean with its interval; for each control and way the atlas's rate of
        "becomes the target" minus the control's, with ``best`` naming the natural control that owes nothing to the
        atlas and has the largest static rate.
    """
    pooled: dict[str, Content] = {}
    becomes: dict[tuple[str, str], NDArray[np.float64]] = {}
    for group, result in results.items():
        drawn = resamples.patches(len(result.patches))
        pooled[group] = {}
        for way in WAYS:
            outcome: Outcome = getattr(result, way)
            means = {name: resamples.means(getattr(outcome, name), drawn) for name in MEASURES}
            becomes[group, way] = means["becomes"]
            pooled[group][way] = {
                name: rounded(estimate(float(getattr(outcome, name).mean()), means[name])) for name in MEASURES
            }
    controls = [group for group in results if group != "atlas"]
    added = {
        control: {way: rounded(_difference(results, becomes, control, way)) for way in WAYS} for control in controls
    }
    rates = {control: pooled[control]["static"]["becomes"]["value"] for control in NATURAL}
    return pooled, {**added, "best": max(NATURAL, key=rates.__getitem__)}


def _difference(
    results: Mapping[str, Result], becomes: Mapping[tuple[str, str], NDArray[np.float64]], control: str, way: str
) -> Estimate:
    rates = [float(getattr(results[group], way).becomes.mean()) for group in ("atlas", control)]
    return estimate(rates[0] - rates[1], becomes["atlas", way] - becomes[control, way])


def patch_numbers(result: Result, number: int, resamples: Resamples) -> Content:
    """Rates of one kept patch, and its softmax at each size."""
    ways = {
        way: {name: resamples.of_one(getattr(getattr(result, way), name)[number]) for name in ("becomes", "leaves")}
        for way in WAYS
    }
    curve = {
        name: softmax_curve(getattr(result.curve, name)[number : number + 1]) for name in ("target", "source", "own")
    }
    return {**ways, "curve": curve}


def softmax_curve(values: NDArray[np.float32]) -> list[float | None]:
    """Means [side] of softmax [patch, side, image] over patches and images; None where nothing is known."""
    known = ~np.isnan(values)
    counts = known.sum(axis=(0, 2))
    sums = np.where(known, values, 0).sum(axis=(0, 2), dtype=np.float64)
    return [round(float(sum_ / count), DECIMALS) if count else None for sum_, count in zip(sums, counts, strict=True)]


def flat_metrics(pooled: Mapping[str, Content], added: Content) -> Content:
    """The rates as ``dvc metrics show`` prints them: ``{way: {group: {becomes, leaves}}}`` with intervals."""
    rates = {
        way: {
            group: {
                f"{name}{end}": found[way][name][key]
                for name in ("becomes", "leaves")
                for key, end in (("value", ""), ("low", "_low"), ("high", "_high"))
            }
            for group, found in pooled.items()
        }
        for way in WAYS
    }
    return {**rates, "atlas_minus_best_control": added[added["best"]]}
