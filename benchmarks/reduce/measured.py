"""The process whose memory is measured: ``python -m benchmarks.reduce.measured pca|stage OUTPUTS``."""

import sys
from pathlib import Path

from pipeline.reduce.space import search_space

from benchmarks.reduce import planted
from pipeline.core import store
from pipeline.core.artifacts import ACTIVATIONS
from pipeline.reduce.rows import Rows
from pipeline.reduce.stage import run
from pipeline.stages import STAGES, Task

if __name__ == "__main__":
    outputs, params = Path(sys.argv[2]), planted.params()
    if sys.argv[1] == "stage":
        run(Task(STAGES["reduce"], params, outputs, planted.LAYER, "all"))
    else:
        activations = store.open_artifact(ACTIVATIONS, ACTIVATIONS.path(outputs, planted.LAYER))
        rows = Rows(store.array(activations, "activation"))
        search_space(rows, params.reduce.metric, params.reduce.components)
