"""Flip rates and softmax of the groups with their intervals, as the page and the metrics hold them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.bootstrap import Interval, crossed_means, draw_counts, percentile_interval
from pipeline.patch.controls import NATURAL
from pipeline.patch.experiment import Outcome, Result

Content = dict[str, Any]
MEASURES = ("becomes", "leaves", "target", "source")
CHOICES = ("static", "dynamic")
DECIMALS = 4


class Resamples:
    """The bootstrap of one pair test: all groups share the same draws of images."""

    def __init__(self, random: np.random.Generator, images: int, count: int) -> None:
        """Draw the images.

        Args:
            random: the generator.
            images: number of measured images.
            count: resamples.
        """
        self._random, self._count = random, count
        self._images = draw_counts(random, images, count)

    def draw_patches(self, count: int) -> NDArray[np.float64]:
        """Draws of ``count`` patches [resample, patch]."""
        return draw_counts(self._random, count, self._count)

    def means(self, values: NDArray[Any], patches: NDArray[np.float64]) -> NDArray[np.float64]:
        """Resampled means [resample] of values [patch, image]; every patch was tried on every image."""
        return crossed_means(values.astype(np.float64), patches, self._images)

    def patch_interval(self, values: NDArray[Any]) -> Content:
        """Mean and interval of one patch's values [image], resampled over images alone."""
        means = self.means(values[None], np.ones((self._count, 1)))
        return rounded(percentile_interval(float(values.mean()), means))


def rounded(found: Interval) -> Content:
    """The interval as the page shows it."""
    return {name: round(value, DECIMALS) for name, value in asdict(found).items()}


def pooled_rates(results: Mapping[str, Result], resamples: Resamples) -> tuple[dict[str, Content], Content]:
    """Pooled rates of each group, and the atlas's rates minus those of each control.

    Args:
        results: by group.
        resamples: of this pair test.

    Returns:
        For each group, choice and measure the mean with its interval; for each control and choice the atlas's rate of
        "becomes the target" minus the control's, with ``best`` naming the natural control independent of the atlas that
        has the largest static rate.
    """
    pooled: dict[str, Content] = {}
    becomes: dict[tuple[str, str], NDArray[np.float64]] = {}
    for group, result in results.items():
        patches = resamples.draw_patches(len(result.patches))
        pooled[group] = {}
        for choice in CHOICES:
            outcome: Outcome = getattr(result, choice)
            means = {name: resamples.means(getattr(outcome, name), patches) for name in MEASURES}
            becomes[group, choice] = means["becomes"]
            pooled[group][choice] = {
                name: rounded(percentile_interval(float(getattr(outcome, name).mean()), means[name]))
                for name in MEASURES
            }
    controls = [group for group in results if group != "atlas"]
    added = {
        control: {choice: rounded(_difference(results, becomes, control, choice)) for choice in CHOICES}
        for control in controls
    }
    rates = {control: pooled[control]["static"]["becomes"]["value"] for control in NATURAL}
    return pooled, {**added, "best": max(NATURAL, key=rates.__getitem__)}


def _difference(
    results: Mapping[str, Result], becomes: Mapping[tuple[str, str], NDArray[np.float64]], control: str, choice: str
) -> Interval:
    rates = [float(getattr(results[group], choice).becomes.mean()) for group in ("atlas", control)]
    return percentile_interval(rates[0] - rates[1], becomes["atlas", choice] - becomes[control, choice])


def patch_rates(result: Result, index: int, resamples: Resamples) -> Content:
    """Rates of one kept patch, and its softmax at each size."""
    rates = {
        choice: {
            name: resamples.patch_interval(getattr(getattr(result, choice), name)[index])
            for name in ("becomes", "leaves")
        }
        for choice in CHOICES
    }
    curve = {
        name: softmax_curve(getattr(result.curve, name)[index : index + 1]) for name in ("target", "source", "own")
    }
    return {**rates, "curve": curve}


def softmax_curve(values: NDArray[np.float32]) -> list[float | None]:
    """Means [side] of softmax [patch, side, image] over patches and images; None where no value is known."""
    known = ~np.isnan(values)
    counts = known.sum(axis=(0, 2))
    sums = np.where(known, values, 0).sum(axis=(0, 2), dtype=np.float64)
    return [round(float(sum_ / count), DECIMALS) if count else None for sum_, count in zip(sums, counts, strict=True)]


def rate_metrics(pooled: Mapping[str, Content], added: Content) -> Content:
    """The rates as ``dvc metrics show`` prints them: ``{choice: {group: {becomes, leaves}}}`` with intervals."""
    rates = {
        choice: {
            group: {
                f"{name}{end}": found[choice][name][key]
                for name in ("becomes", "leaves")
                for key, end in (("value", ""), ("low", "_low"), ("high", "_high"))
            }
            for group, found in pooled.items()
        }
        for choice in CHOICES
    }
    return {**rates, "atlas_minus_best_control": added[added["best"]]}
