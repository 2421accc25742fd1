"""The benchmark of ``reduce``: time and quality beside umap-learn, and memory and time on a million samples."""

from pathlib import Path

from benchmarks.harness.report import Report
from benchmarks.reduce.real_activations import real_rows
from benchmarks.reduce.scaling import scaling_rows
from benchmarks.reduce.versus_umap_learn import versus_rows
from pipeline.core.files import discard

SCRATCH = Path("outputs/.bench/reduce")
COUNT, QUICK_COUNT = 200_000, 5_000
COUNTS, QUICK_COUNTS = (100_000, 1_000_000), (5_000,)


def run(quick: bool) -> Report:
    """Measure everything.

    Args:
        quick: with fewer samples, and without the real activations.
    """
    rows = versus_rows(QUICK_COUNT if quick else COUNT)
    if not quick:
        rows += real_rows()
    rows += scaling_rows(SCRATCH.absolute(), QUICK_COUNTS if quick else COUNTS)
    discard(SCRATCH)
    return Report(rows)
