"""The benchmark of the stage ``grid``."""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch

from benchmarks.grid.loop import time_loop
from benchmarks.grid.synthetic import CHANNELS, CLASSES, LEVELS, SyntheticRun, synthetic_run
from benchmarks.harness.report import Report
from benchmarks.harness.rows import Row, row
from pipeline.core.moments import row_blocks
from pipeline.core.progress import log_line
from pipeline.core.zarr_store import StoredArray

FOLDER = Path("outputs/.bench/grid")
FULL, QUICK = (100_000, 1_000_000), (20_000, 50_000)
ROUNDS = 3
TIMED_CELLS = 300  # of each level


def run(quick: bool) -> Report:
    """Measure everything.

    Args:
        quick: with fewer samples.
    """
    few, many = QUICK if quick else FULL
    rows: list[Row] = []
    peaks = {count: _stage(synthetic_run(FOLDER, count))["gib"] for count in (few, many)}
    rows += [
        row(f"{_count(count)} samples: peak memory of the process", gib, "GiB", at_most=2.0)
        for count, gib in peaks.items()
    ]
    return Report([*_timed(synthetic_run(FOLDER, many)), *rows])


def _timed(found: SyntheticRun) -> list[Row]:
    """Reading and the stage alternately, then the loop."""
    where = f"{_count(found.samples)} × {CHANNELS} channels, {CLASSES} classes, levels {LEVELS[0]} to {LEVELS[-1]}"
    reading, compressed, ours = [], [], []
    for number in range(ROUNDS):
        log_line(f"{where}: round {number + 1} of {ROUNDS}")
        reading.append(_read(found.uncompressed()))
        compressed.append(_read(found.activation()))
        ours.append(_stage(found)["seconds"])
    log_line(f"{where}: the loop over cells")
    rows = torch.from_numpy(np.asarray(found.activation()[...]))
    loop = time_loop(torch.from_numpy(found.xy()), rows, LEVELS, TIMED_CELLS)
    ratio = median(one / other for one, other in zip(ours, reading, strict=True))
    extent = (
        f"{loop.timed} of {loop.cells} cells timed, the rest concluded from them; activations in memory, means alone"
    )
    return [
        row(f"{where}: grid with spread, reliability and exemplars", median(ours) / 60, "min"),
        row("the activations read once from an uncompressed copy, block by block", median(reading), "s"),
        row("the activations read once as they are stored", median(compressed), "s"),
        row("grid : reading the uncompressed activations once", ratio, "x", at_most=6),
        row(f"a loop over the cells as in captum ({extent})", loop.seconds / 60, "min"),
        row("a loop over the cells as in captum : grid", loop.seconds / median(ours), "x", at_least=20),
    ]


def _read(array: StoredArray) -> float:
    """Seconds to read all rows, from the page cache."""
    began = perf_counter()
    for _ in row_blocks(array):
        pass
    return perf_counter() - began


def _stage(found: SyntheticRun) -> dict[str, float]:
    """Seconds of the stage without starting Python, and the peak memory (GiB) of its process."""
    command = [sys.executable, "-m", "benchmarks.grid.child", str(found.folder), str(found.samples)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603  # our own command
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def _count(samples: int) -> str:
    return f"{samples:,}".replace(",", " ")
