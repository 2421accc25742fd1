"""The benchmark of ``reduce``: speed and quality beside umap-learn, and memory and time on a million samples."""

from pathlib import Path

from benchmarks.harness.report import Report
from benchmarks.reduce.compete import compete_rows
from benchmarks.reduce.million import million_rows
from pipeline.core.files import discard

SCRATCH = Path("outputs/.bench/reduce")
COUNT, QUICK_COUNT = 200_000, 5_000
COUNTS, QUICK_COUNTS = (100_000, 1_000_000), (5_000,)


def run(quick: bool) -> Report:
    """Measure everything.

    Args:
        quick: with fewer samples.
    """
    rows = compete_rows(QUICK_COUNT if quick else COUNT)
    rows += million_rows(SCRATCH.absolute(), QUICK_COUNTS if quick else COUNTS)
    discard(SCRATCH)
    return Report(rows)
