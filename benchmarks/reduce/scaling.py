"""Memory and time of the stage by the number of samples."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.harness.rows import Row, row
from benchmarks.reduce import synthetic
from benchmarks.scale.memory import peak_of
from pipeline.core.files import discard
from pipeline.core.progress import log_line

PCA_GOAL, STAGE_GOAL = 2.0, 10.0  # GB


def scaling_rows(folder: Path, counts: Sequence[int]) -> list[Row]:
    """Peak memory and minutes of the PCA for each number of samples, and of the whole stage for the last one.

    Args:
        folder: for the activations, a kilobyte for each sample.
        counts: of samples.
    """
    rows = []
    for count in counts:
        outputs = folder / str(count)
        discard(outputs)
        outputs.mkdir(parents=True)
        synthetic.write(outputs, count)
        what = f"{count:,} samples × {synthetic.CHANNELS} channels"
        rows += _memory_rows(f"PCA, {what}", "pca", outputs, PCA_GOAL)
        if count == counts[-1]:
            rows += _memory_rows(f"reduce, {what}", "stage", outputs, STAGE_GOAL)
            found = json.loads((outputs / f"metrics/reduce/{synthetic.LAYER}/all.json").read_text())
            rows += _quality_rows(f"reduce, {what}", found)
        discard(outputs)
    return rows


def _memory_rows(what: str, part: str, outputs: Path, goal: float) -> list[Row]:
    log_line(what)
    began = perf_counter()
    peak = peak_of([sys.executable, "-m", "benchmarks.reduce.memory_process", part, str(outputs)])
    minutes = (perf_counter() - began) / 60
    return [
        row(f"{what}: peak memory of the process", peak / 1e9, "GB", at_most=goal),
        row(f"{what}: time, start of the process included", minutes, "min"),
    ]


def _quality_rows(what: str, found: Mapping[str, Any]) -> list[Row]:
    groups = ("landmarks", "placed") if "trustworthiness_10_placed" in found else ()
    rows = [row(f"{what}: samples laid out, the others placed among them", found["landmarks"], "samples")]
    for measure in ("trustworthiness", "continuity"):
        for k in (10, 50):
            names = {f"{measure}_{k}": "all", **{f"{measure}_{k}_{group}": group for group in groups}}
            rows += [
                row(f"{what}: {measure} (k {k}), {kind}", found[name], "")
                for name, kind in names.items()
                if found[name] is not None  # undefined for a group with too few points
            ]
    return rows
