"""The content of the page: what a pair test is made of, its results, and the images that it shows."""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.patch.class_pair import PairTest
from pipeline.patch.experiment import Result
from pipeline.patch.paste import CORNERS, Pixels, Placement, paste
from pipeline.patch.patches import Patch
from pipeline.patch.rates import DECIMALS, Resamples, patch_rates, pooled_rates, rate_metrics, softmax_curve

Content = dict[str, Any]
ImageContent = Callable[[int], Content]  # row of an image → its key and its label


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
        "hindrance": skip_reason,
        "images": {
            "listed": images.listed,
            "shown": len(images.rows),
            "right": len(images.correct),
            "searched": min(len(searched), settings.search_images),
            "measured": len(measured),
        },
        "candidates": {"wanted": settings.candidates, "found": len(test.candidates)},
    }


def candidates_content(test: PairTest, image_content: ImageContent, writer: ImageWriter) -> list[Content]:
    """The atlas's first candidates, for a test that cannot be made."""
    first = test.candidates[: test.settings.keep]
    return [_patch(patch, f"{test.name}/proposed-{index}", image_content, writer) for index, patch in enumerate(first)]


def results_content(
    test: PairTest,
    results: Mapping[str, Result],
    resamples: Resamples,
    image_content: ImageContent,
    writer: ImageWriter,
) -> tuple[Content, Content]:
    """The results of a test for the page, and its metrics."""
    pooled, added = pooled_rates(results, resamples)
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
                "tried": result.tried,
                **pooled[group],
                "curve": {name: softmax_curve(getattr(result.curve, name)) for name in ("target", "source", "own")},
                "patches": _patches(f"{test.name}/{group}", result, resamples, image_content, writer),
            }
            for group, result in results.items()
        ],
        "added": added,
        "examples": _examples(test, results["atlas"], image_content, writer),
    }
    return content, rate_metrics(pooled, added)


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
        "picture": writer.write(name, patch.pixels),
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
                "becomes": bool(result.static.becomes[patch, image]),
                "leaves": bool(result.static.leaves[patch, image]),
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
