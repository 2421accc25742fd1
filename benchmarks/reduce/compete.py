"""The layout beside umap-learn with its defaults, on the same rows, in the same run."""

import warnings
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from pipeline.reduce.laid import lay_out

from benchmarks.harness.rows import Row, row
from benchmarks.harness.timing import Side, interleaved
from benchmarks.reduce import planted
from pipeline.core.progress import say
from pipeline.reduce.config import ReduceSettings
from pipeline.reduce.quality import Points, quality
from pipeline.reduce.rows import Rows

GOAL, LOSS = 3.0, 0.01
WARM = 3000  # points of the calls that only compile
QUERIES = 2000
# the question is umap-learn's: neighbours by Euclidean distance
OURS = ReduceSettings(metric="euclidean")
SEEDED, FREE = "umap-learn, seeded (one thread)", "umap-learn, not seeded (all threads)"


def compete_rows(count: int) -> list[Row]:
    """Time and trustworthiness of both sides on ``count`` samples."""
    values = np.concatenate(list(planted.blocks(count)))
    sides: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
        "ours, seeded": _ours,
        SEEDED: lambda rows: _theirs(rows, 0),
        FREE: lambda rows: _theirs(rows, None),
    }
    laid: dict[str, NDArray[np.float32]] = {}
    for name, side in sides.items():
        say(f"reduce: warming up {name}")
        side(values[:WARM])

    def timed(name: str) -> Side:
        def run() -> None:
            say(f"reduce: {name}, {count:,} samples")
            laid[name] = sides[name](values)

        return Side(run)

    times = interleaved({name: timed(name) for name in sides}, rounds=1)
    what = f"{count:,} samples × {planted.CHANNELS} channels"
    rows = [row(f"{what}: {name}", times.median(name), "s") for name in sides]
    rows += [
        row(f"{what}: ours, seeded, against {name}", times.ratio(name, "ours, seeded"), "x", at_least=GOAL)
        for name in (SEEDED, FREE)
    ]
    return rows + _quality_rows(what, values, laid)


def _ours(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return lay_out(Rows(rows), OURS, 0).places.astype(np.float32)


def _theirs(rows: NDArray[np.float32], seed: int | None) -> NDArray[np.float32]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # among others that a seed means one thread
        import umap  # noqa: PLC0415  # slow, and noisy

        laid: NDArray[np.float32] = umap.UMAP(random_state=seed).fit_transform(rows)
    return laid


def _quality_rows(what: str, values: NDArray[np.float32], laid: Mapping[str, NDArray[np.float32]]) -> list[Row]:
    image = np.arange(len(values)) // planted.PER_IMAGE
    label = np.full(len(values), -1)
    found = {
        name: quality(Points(Rows(values), xy, image, label), OURS.metric, QUERIES, 0) for name, xy in laid.items()
    }
    rows = []
    for k in (10, 50):
        scores = {name: float(one[f"trustworthiness_{k}"] or 0) for name, one in found.items()}
        rows += [row(f"{what}: trustworthiness (k {k}), {name}", score, "") for name, score in scores.items()]
        loss = max(score for name, score in scores.items() if "umap" in name) - scores["ours, seeded"]
        rows.append(row(f"{what}: trustworthiness (k {k}) lost to umap-learn's better run", loss, "", at_most=LOSS))
    return rows
