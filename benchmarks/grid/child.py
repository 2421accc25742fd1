"""Run the stage once and print its time and memory as JSON, in a process of its own."""

import json
import sys
from pathlib import Path
from time import perf_counter

from benchmarks.grid.synthetic import SyntheticRun
from benchmarks.harness.peak import own_peak
from pipeline.core.files import discard
from pipeline.core.malloc import share_memory
from pipeline.core.resumable import WORK
from pipeline.grid.stage import run


def main() -> None:
    """``python -m benchmarks.grid.child FOLDER SAMPLES``."""
    share_memory()  # as atlas does
    task = SyntheticRun(int(sys.argv[2]), Path(sys.argv[1])).task()
    discard(task.outputs / WORK)  # a run that finds its own grid finished computes nothing
    began = perf_counter()
    run(task)
    seconds = perf_counter() - began
    print(json.dumps({"seconds": seconds, "gib": own_peak() / 2**30}))


if __name__ == "__main__":
    main()
