"""The process whose memory is measured: ``python -m benchmarks.scale.memory_child OUTPUTS SAMPLES``."""

import sys
from pathlib import Path

from benchmarks.scale import million
from pipeline.sample.stage import run
from pipeline.stages import STAGES, Task

if __name__ == "__main__":
    run(Task(STAGES["sample"], million.params(int(sys.argv[2])), Path(sys.argv[1])))
