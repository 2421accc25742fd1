"""The built-in UMAP beside umap-learn with its defaults, on the same samples, in the same run."""

import warnings
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.rows import Row, row
from benchmarks.harness.timing import Side, interleaved
from benchmarks.reduce import synthetic
from pipeline.config.reduce import ReduceSettings
from pipeline.core.progress import log_line
from pipeline.reduce.layout import compute_layout
from pipeline.reduce.quality import LayoutSamples, measure_quality
from pipeline.reduce.rows import Rows

GOAL, LOSS = 3.0, 0.01
WARMUP = 3000  # samples of the calls that only compile
QUERIES = 2000
# umap-learn's default metric
OURS = ReduceSettings(metric="euclidean")
SEEDED, FREE = "umap-learn, seeded (one thread)", "umap-learn, not seeded (all threads)"


def versus_rows(count: int) -> list[Row]:
    """Time and trustworthiness of both on ``count`` synthetic samples."""
    values = np.concatenate(list(synthetic.blocks(count)))
    sides: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
        "ours, seeded": _ours,
        SEEDED: lambda rows: _theirs(rows, 0),
        FREE: lambda rows: _theirs(rows, None),
    }
    layouts: dict[str, NDArray[np.float32]] = {}
    for name, side in sides.items():
        log_line(f"reduce: warming up {name}")
        side(values[:WARMUP])

    def timed(name: str) -> Side:
        def run() -> None:
            log_line(f"reduce: {name}, {count:,} samples")
            layouts[name] = sides[name](values)

        return Side(run)

    times = interleaved({name: timed(name) for name in sides}, rounds=1)
    what = f"{count:,} samples × {synthetic.CHANNELS} channels"
    rows = [row(f"{what}: {name}", times.median(name), "s") for name in sides]
    rows += [
        row(f"{what}: ours, seeded, against {name}", times.ratio(name, "ours, seeded"), "x", at_least=GOAL)
        for name in (SEEDED, FREE)
    ]
    return rows + _quality_rows(what, values, layouts)


def _ours(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return compute_layout(Rows(rows), OURS, 0).coordinates.astype(np.float32)


def _theirs(rows: NDArray[np.float32], seed: int | None) -> NDArray[np.float32]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # among others that a seed implies one thread
        import umap  # noqa: PLC0415  # slow, and noisy

        embedding: NDArray[np.float32] = umap.UMAP(random_state=seed).fit_transform(rows)
    return embedding


def _quality_rows(what: str, values: NDArray[np.float32], layouts: Mapping[str, NDArray[np.float32]]) -> list[Row]:
    image = np.arange(len(values)) // synthetic.PER_IMAGE
    label = np.full(len(values), -1)
    found = {
        name: measure_quality(LayoutSamples(Rows(values), xy, image, label), OURS.metric, QUERIES, 0)
        for name, xy in layouts.items()
    }
    rows = []
    for k in (10, 50):
        scores = {name: float(one[f"trustworthiness_{k}"] or 0) for name, one in found.items()}
        rows += [row(f"{what}: trustworthiness (k {k}), {name}", score, "") for name, score in scores.items()]
        loss = max(score for name, score in scores.items() if "umap" in name) - scores["ours, seeded"]
        rows.append(row(f"{what}: trustworthiness (k {k}) lost to umap-learn's better run", loss, "", at_most=LOSS))
    return rows
