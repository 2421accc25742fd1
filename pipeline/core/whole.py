"""Plain files and folders that appear whole or not at all."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.core.store import discard


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A place beside ``path`` to write a file or folder to; it becomes ``path`` only when the block ends well."""
    partial = path.with_name(path.name + ".partial")
    discard(partial)
    partial.parent.mkdir(parents=True, exist_ok=True)
    yield partial
    discard(path)
    partial.rename(path)


def write_json(path: Path, content: Any) -> None:
    """Write ``content`` as readable JSON."""
    with whole(path) as partial:
        partial.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_csv(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Write equally long ``columns`` as a table with a header line."""
    with whole(path) as partial, partial.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(columns)
        table.writerows(zip(*columns.values(), strict=True))
