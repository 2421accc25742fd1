"""What a process loads before stages are forked from it, so that kills fall into their work.

Stored arrays are split into far smaller shards than usual, so that a run of seconds has many.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pipeline.core import moments, zarr_store
from pipeline.core.resumable import TaskResults
from pipeline.render import stage as render
from pipeline.stages import STAGES
from pipeline.units import stage as units
from tests.soak.kill_render import NotedCache

create_arrays = TaskResults.create_arrays


@contextmanager
def create_and_log(
    results: TaskResults,
    task: object,
    arrays: Mapping[str, tuple[tuple[int, ...], Any]],
    payload: Mapping[str, Any] | None = None,
) -> Iterator[dict[str, NDArray[Any]]]:
    """Arrays of a task; their names are logged when it is finished."""
    with create_arrays(results, task, arrays, payload) as created:
        yield created
    with NotedCache.log.open("a") as file:
        file.write("".join(f"{name}\n" for name in arrays))


def log_to(path: Path) -> None:
    """The file in which computed icons, pictures and arrays are logged."""
    NotedCache.log = path


zarr_store.SHARD_BYTES, zarr_store.CHUNK_BYTES, moments.BLOCK_BYTES = 2**14, 2**11, 2**11
for name in STAGES:
    if name != "tile":  # libvips starts threads when it loads, which do not live through a fork
        import_module(f"pipeline.{name}.stage")
for stage in (render, units):
    vars(stage)["ImageCache"] = NotedCache
TaskResults.create_arrays = create_and_log  # type: ignore[method-assign, assignment]  # logged for all callers
