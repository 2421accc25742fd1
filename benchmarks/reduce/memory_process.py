"""The process whose memory is measured: ``python -m benchmarks.reduce.memory_process pca|stage OUTPUTS``."""

import sys
from pathlib import Path

from benchmarks.reduce import synthetic
from pipeline.core import zarr_store
from pipeline.core.artifacts import ACTIVATIONS
from pipeline.reduce.knn import knn_space
from pipeline.reduce.rows import Rows
from pipeline.reduce.stage import run
from pipeline.stages import STAGES, Task

if __name__ == "__main__":
    outputs, params = Path(sys.argv[2]), synthetic.params()
    if sys.argv[1] == "stage":
        run(Task(STAGES["reduce"], params, outputs, synthetic.LAYER, "all"))
    else:
        activations = zarr_store.open_artifact(ACTIVATIONS, ACTIVATIONS.path(outputs, synthetic.LAYER))
        rows = Rows(zarr_store.array(activations, "activation"))
        knn_space(rows, params.reduce.metric, params.reduce.components)
