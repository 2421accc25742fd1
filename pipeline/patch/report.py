"""The content of the page and the metrics: images and patches of a pair test, flip rates, softmax, and shown images."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.core.bootstrap import Interval, crossed_means, draw_counts, percentile_interval
from pipeline.patch.experiment import Outcome, PairTest, Result
from pipeline.patch.paste import CORNERS, Pixels, Placement, paste
from pipeline.patch.patches import NATURAL, Patch

Content = dict[str, Any]
ImageContent = Callable[[int], Content]  # row of an image → its key and its label

MEASURES = ("targeted", "untargeted", "target", "source")
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


class ImageWriter:
    """Writes the images of a result to its folder."""

    def __init__(self, folder: Path, *, enabled: bool) -> None:
        """Nothing is written yet.

        Args:
            folder: where the images go.
            enabled: otherwise no image is written.
        """
        self._folder, self._enabled = folder, enabled

    def write(self, name: str, pixels: Pixels) -> str | None:
        """Write pixels [y, x, 3] as WebP; returns the path within the folder, None where images are disabled."""
        if not self._enabled:
            return None
        path = self._folder / f"{name}.webp"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_webp(pixels))
        return f"{name}.webp"


def encode_webp(pixels: Pixels, quality: int = 88) -> bytes:
    """Pixels [y, x, 3] as WebP."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()


def summary_content(test: PairTest, skip_reason: str | None) -> Content:
    """The numbers of images and patches, whether the test is made or not."""
    searched, measured = test.halves
    images, settings = test.images, test.settings
    return {
        "name": test.name,
        "source": images.class_,
        "target": test.target,
        "skip_reason": skip_reason,
        "images": {
            "listed": images.listed,
            "evaluated": len(images.rows),
            "correct": len(images.correct),
            "searched": min(len(searched), settings.search_images),
            "measured": len(measured),
        },
        "candidates": {"requested": settings.candidates, "found": len(test.candidates)},
    }


def candidates_content(test: PairTest, image_content: ImageContent, writer: ImageWriter) -> list[Content]:
    """The atlas's first candidates, for a test that cannot be made."""
    first = test.candidates[: test.settings.keep]
    return [_patch(patch, f"{test.name}/candidate-{index}", image_content, writer) for index, patch in enumerate(first)]


def results_content(
    test: PairTest,
    results: Mapping[str, Result],
    resamples: Resamples,
    image_content: ImageContent,
    writer: ImageWriter,
) -> tuple[Content, Content]:
    """The results of a test for the page, and its metrics."""
    pooled, differences = pooled_rates(results, resamples)
    images, measured = test.images, test.halves[1]
    before = images.softmax[measured]
    content = {
        "before": {
            "target": round(float(before[:, test.target].mean()), DECIMALS),
            "source": round(float(before[:, images.class_].mean()), DECIMALS),
        },
        "groups": [
            {
                "name": group,
                "patches_tested": result.patches_tested,
                **pooled[group],
                "curve": {name: softmax_curve(getattr(result.curve, name)) for name in ("target", "source", "own")},
                "patches": _patches(f"{test.name}/{group}", result, resamples, image_content, writer),
            }
            for group, result in results.items()
        ],
        "differences": differences,
        "examples": _examples(test, results["atlas"], image_content, writer),
    }
    return content, rate_metrics(pooled, differences)


def spread_examples(target: NDArray[np.float32], count: int) -> list[tuple[int, int]]:
    """Pairs (patch, image) that show successes and failures alike.

    Images are paired with the patches in turn. The pairs are sorted by the target's softmax, and ``count`` of them are
    taken at equal steps, the largest and the smallest among them.

    Args:
        target: softmax of the target with the patch in place [patch, image].
        count: pairs wanted.
    """
    patches, images = target.shape
    patch, image = np.arange(images) % patches, np.arange(images)
    order = np.argsort(-np.round(target[patch, image].astype(np.float64), 4), kind="stable")
    steps = np.unique(np.rint(np.linspace(0, images - 1, min(count, images))).astype(np.int64))
    return [(int(patch[index]), int(image[index])) for index in order[steps]]


def _patches(
    name: str, result: Result, resamples: Resamples, image_content: ImageContent, writer: ImageWriter
) -> list[Content]:
    return [
        {
            **_patch(patch, f"{name}-{index}", image_content, writer),
            **_placement(result.placements[index]),
            **patch_rates(result, index, resamples),
        }
        for index, patch in enumerate(result.patches)
    ]


def _patch(patch: Patch, name: str, image_content: ImageContent, writer: ImageWriter) -> Content:
    """A patch's image and origin; noise has no origin."""
    exemplar = patch.exemplar
    return {
        "file": writer.write(name, patch.pixels),
        "own": patch.own if patch.own >= 0 else None,
        "cell": {"size": exemplar.size, "at": list(exemplar.cell)} if exemplar else None,
        **(image_content(patch.image) if patch.image >= 0 else {"key": None, "label": None}),
    }


def _placement(placement: Placement) -> Content:
    return {"side": placement.side, "corner": CORNERS[placement.corner]}


def _examples(test: PairTest, result: Result, image_content: ImageContent, writer: ImageWriter) -> list[Content]:
    """Images before and after pasting, from the largest softmax of the target to the smallest."""
    images, measured = test.images, test.halves[1]
    examples = []
    for number, (patch, image) in enumerate(spread_examples(result.static.target, test.settings.examples)):
        index = int(measured[image])
        before = images.pixels[index]
        after = paste(before, result.patches[patch].pixels, result.placements[patch])
        name = f"{test.name}/example-{number}"
        examples.append(
            {
                **image_content(int(images.rows[index])),
                "patch": patch,
                "before": writer.write(f"{name}-before", before),
                "after": writer.write(f"{name}-after", after),
                "softmax": _softmax(test, result, patch, image),
                "targeted": bool(result.static.targeted[patch, image]),
                "untargeted": bool(result.static.untargeted[patch, image]),
            }
        )
    return examples


def _softmax(test: PairTest, result: Result, patch: int, image: int) -> dict[str, Sequence[float]]:
    """(before, after) of both classes."""
    before = test.images.softmax[test.halves[1][image]]
    pairs = {
        "target": (before[test.target], result.static.target[patch, image]),
        "source": (before[test.images.class_], result.static.source[patch, image]),
    }
    return {name: np.round(np.array(pair, np.float64), DECIMALS).tolist() for name, pair in pairs.items()}


def rounded(found: Interval) -> Content:
    """The interval as the page shows it."""
    return {name: round(value, DECIMALS) for name, value in asdict(found).items()}


def pooled_rates(results: Mapping[str, Result], resamples: Resamples) -> tuple[dict[str, Content], Content]:
    """Pooled rates of each group, and the atlas's rates minus those of each control.

    Args:
        results: by group.
        resamples: of this pair test.

    Returns:
        For each group, choice and measure the mean with its interval; for each control and choice the atlas's targeted
        rate minus the control's, with ``best_control`` naming the natural control independent of the atlas that has
        the largest static rate.
    """
    pooled: dict[str, Content] = {}
    targeted_means: dict[tuple[str, str], NDArray[np.float64]] = {}
    for group, result in results.items():
        patches = resamples.draw_patches(len(result.patches))
        pooled[group] = {}
        for choice in CHOICES:
            outcome: Outcome = getattr(result, choice)
            means = {name: resamples.means(getattr(outcome, name), patches) for name in MEASURES}
            targeted_means[group, choice] = means["targeted"]
            pooled[group][choice] = {
                name: rounded(percentile_interval(float(getattr(outcome, name).mean()), means[name]))
                for name in MEASURES
            }
    controls = [group for group in results if group != "atlas"]
    differences = {
        control: {choice: rounded(_difference(results, targeted_means, control, choice)) for choice in CHOICES}
        for control in controls
    }
    rates = {control: pooled[control]["static"]["targeted"]["value"] for control in NATURAL}
    return pooled, {**differences, "best_control": max(NATURAL, key=rates.__getitem__)}


def _difference(
    results: Mapping[str, Result], means: Mapping[tuple[str, str], NDArray[np.float64]], control: str, choice: str
) -> Interval:
    rates = [float(getattr(results[group], choice).targeted.mean()) for group in ("atlas", control)]
    return percentile_interval(rates[0] - rates[1], means["atlas", choice] - means[control, choice])


def patch_rates(result: Result, index: int, resamples: Resamples) -> Content:
    """Rates of one selected patch, and its softmax at each size."""
    rates = {
        choice: {
            name: resamples.patch_interval(getattr(getattr(result, choice), name)[index])
            for name in ("targeted", "untargeted")
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


def rate_metrics(pooled: Mapping[str, Content], differences: Content) -> Content:
    """The rates as ``dvc metrics show`` prints them: ``{choice: {group: {targeted, untargeted}}}`` with intervals."""
    rates = {
        choice: {
            group: {
                f"{name}{end}": found[choice][name][key]
                for name in ("targeted", "untargeted")
                for key, end in (("value", ""), ("low", "_low"), ("high", "_high"))
            }
            for group, found in pooled.items()
        }
        for choice in CHOICES
    }
    return {**rates, "atlas_minus_best_control": differences[differences["best_control"]]}
