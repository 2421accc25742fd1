"""The study of baselines: agreement of a cell's top class with its most over-represented label, and predicted drops.

A cell's top class is that of its largest mean attribution. Labels judge; they have no part in attributions. Intervals
are over resamples of the images.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from benchmarks.attribution.networks import ABLATIONS, EXACT, METHODS, SETS, Samples, sampled
from benchmarks.attribution.toytown import toytown_rows
from benchmarks.harness.report import Report
from benchmarks.harness.rows import Row, row
from pipeline.core.bootstrap import draw_counts, percentile_interval
from pipeline.core.progress import log_line
from pipeline.predict.ablation import row_correlation
from pipeline.site.names import agreement, over_represented

LEVEL = 10
MIN_SAMPLES = 10  # of a cell: below that its labels say little
OLD, NEW = "zero", "mean"
LOW, GAIN = 0.6, 0.15  # where the old default agrees less than the first, the new one has to gain the second

Floats = NDArray[np.float64]


def run(quick: bool) -> Report:
    """Measure everything.

    Args:
        quick: few images and resamples.
    """
    images, resamples = (120, 20) if quick else (400, 500)
    rows: list[Row] = []
    for name in SETS:
        for layer, samples in sampled(name, images, 6 if quick else LEVEL):
            rows += layer_rows(f"{name}, {layer}", samples, resamples)
            log_line(f"{name}, {layer}: measured")
    return Report([*rows, *toytown_rows(quick)])


def layer_rows(where: str, samples: Samples, resamples: int) -> list[Row]:
    """The rows of one layer."""
    found = _agreements(samples, resamples)
    rows = []
    for method in (*METHODS, EXACT):
        for measure, words in (("first", "top class"), ("first_three", "first three")):
            interval = percentile_interval(found[method][measure][0], found[method][measure][1:])
            what = (
                f"{where}, {method}: {words} = label most over-represented ({interval.low:.2f} to {interval.high:.2f})"
            )
            rows.append(row(what, interval.value, "share"))
    gain = found[NEW]["first"] - found[OLD]["first"]
    interval = percentile_interval(gain[0], gain[1:])
    # a loss counts where the interval excludes none
    least = GAIN if found[OLD]["first"][0] < LOW else -(interval.high - interval.low) / 2
    what = f"{where}: {NEW} less {OLD}, top class ({interval.low:+.2f} to {interval.high:+.2f})"
    return [*rows, row(what, interval.value, "share", at_least=least), *_predictions(where, samples)]


def _predictions(where: str, samples: Samples) -> list[Row]:
    """Mean rank correlation over the classes of a sample between attribution and the true drop of the logits."""
    return [
        row(
            f"{where}, {method}: rank correlation with the drops when replaced by {ablation}",
            float(
                np.nanmean(
                    row_correlation(samples.attribution[method].astype(float), samples.drop[ablation].astype(float))
                )
            ),
            "correlation",
        )
        for method in METHODS
        for ablation in ABLATIONS
    ]


def _agreements(samples: Samples, resamples: int) -> Mapping[str, Mapping[str, Floats]]:
    """Agreement by method and measure: of all images, and of each resample, [1 + resamples]."""
    of_image = np.unique(samples.image, return_inverse=True)[1]
    drawn = draw_counts(np.random.default_rng(0), of_image.max() + 1, resamples)
    weights = np.concatenate([np.ones((1, len(of_image))), drawn[:, of_image]])
    ones = np.ones(len(samples.cell))
    to_cell = csr_matrix((ones, (samples.cell, np.arange(len(ones)))), shape=(samples.cells, len(ones)))
    enough = (to_cell @ ones >= MIN_SAMPLES).astype(float)
    one_hot = np.eye(samples.classes)[samples.label]
    labels = [over_represented((to_cell @ (one_hot * weight[:, None])).T).class_ for weight in weights]
    found = {}
    for method, attribution in samples.attribution.items():
        sums = (to_cell @ (attribution * weight[:, None]) for weight in weights)
        tops = (np.argsort(-each, axis=1, kind="stable") for each in sums)
        each = [agreement(top, label, enough) for top, label in zip(tops, labels, strict=True)]
        found[method] = {measure: np.array([one[measure] for one in each]) for measure in each[0]}
    return found
