"""Peak memory of ``sample`` by the number of samples: it must not grow with that."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import psutil

from benchmarks.harness.peak import recorded_peak
from benchmarks.harness.rows import Row, row
from benchmarks.scale import million
from pipeline.core.errors import DataError
from pipeline.core.files import discard
from pipeline.core.progress import log_line

GOAL = 2.0  # GB
INTERVAL = 0.05  # seconds between two readings of the memory


def memory_rows(folder: Path, counts: Sequence[int]) -> list[Row]:
    """Peak memory and minutes for each number of samples.

    Args:
        folder: for their outputs, a few kilobytes for each sample.
        counts: of samples.
    """
    rows = []
    for count in counts:
        log_line(f"sample: memory at {count} samples")
        outputs = folder / str(count)
        discard(outputs)
        million.prepare(outputs, count)
        began = perf_counter()
        peak = peak_of([sys.executable, "-m", "benchmarks.scale.memory_child", str(outputs), str(count)])
        minutes = (perf_counter() - began) / 60
        what = f"sample, {count:,} samples × {million.CHANNELS} channels × {million.CLASSES} classes"
        rows += [
            row(f"{what}: peak memory of the process and its children", peak / 1e9, "GB", at_most=GOAL),
            row(f"{what}: time, start of the process included", minutes, "min"),
        ]
        discard(outputs)
    return rows


def peak_of(command: Sequence[str]) -> int:
    """Peak memory of a command's process and its children together, bytes.

    It is the larger of two numbers: the resident memory of all of them, read twenty times a second, which counts shared
    memory more than once; and the peak of the first of them as the system records it, read as often.

    Raises:
        DataError: the command failed.
    """
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603  # our own
    top, peak = psutil.Process(process.pid), 0
    while True:
        peak = max(peak, _resident(top), recorded_peak(process.pid))
        if process.poll() is not None:
            break
        time.sleep(INTERVAL)
    if process.returncode:
        raise DataError(f"{' '.join(command)}: expected it to end well, found exit code {process.returncode}")
    return peak


def _resident(top: psutil.Process) -> int:
    total = 0
    try:
        for process in (top, *top.children(recursive=True)):
            total += process.memory_info().rss
    except psutil.Error:  # one of them has just ended
        pass
    return total
