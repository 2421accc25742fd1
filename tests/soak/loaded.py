"""What a process loads before stages are forked from it, so that kills fall into their work.

Stored arrays are cut into far smaller shards than usual, so that a run of seconds has many.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pipeline.core import statistics, store
from pipeline.grid import stage as grid
from pipeline.grid.parts import Parts
from pipeline.render import stage as render
from pipeline.stages import STAGES
from tests.soak.kill_render import NotedCache


class NotedParts(Parts):
    """Parts of a grid that note the names of all that were made."""

    @contextmanager
    def making_all(self, arrays: Mapping[str, tuple[tuple[int, ...], Any]]) -> Iterator[dict[str, NDArray[Any]]]:
        """Make them, and say so."""
        with super().making_all(arrays) as made:
            yield made
        with NotedCache.log.open("a") as file:
            file.write("".join(f"{name}\n" for name in arrays))


def log_to(path: Path) -> None:
    """Where icons and parts that are made are noted."""
    NotedCache.log = path


store.SHARD_BYTES, store.CHUNK_BYTES, statistics.BLOCK_BYTES = 2**14, 2**11, 2**11
for name in STAGES:
    if name != "tile":  # libvips starts threads when it loads, which do not live through a fork
        import_module(f"pipeline.{name}.stage")
vars(render)["ImageCache"], vars(grid)["Parts"] = NotedCache, NotedParts
