"""Size of the artifacts on the disk, compared with the same numbers in uncompressed float32."""

from benchmarks.harness.rows import Row, row
from pipeline.core import zarr_store
from pipeline.core.artifacts import ACTIVATIONS
from pipeline.stages import Task

MILLION = 1_000_000


def disk_rows(task: Task) -> list[Row]:
    """Size of each array of a finished run, for a million samples.

    Args:
        task: the stage, as it was run.
    """
    rows = []
    for layer in task.params.layers:
        path = task.path(ACTIVATIONS, layer)
        group = zarr_store.open_artifact(ACTIVATIONS, path)
        for name in ("activation", "attribution"):
            array = zarr_store.array(group, name)
            size = sum(file.stat().st_size for file in (path / name).rglob("*") if file.is_file())
            what = f"{layer}, {name} of {array.shape[1]} numbers"
            rows += [
                row(f"{what}: a million samples on the disk", size / array.shape[0] * MILLION / 1e9, "GB"),
                row(f"{what}: stored as {array.dtype} against uncompressed float32", size / (array.size * 4), "x"),
            ]
    return rows
