"""A benchmark's results as JSON: the command that made them, the machine, the date and the rows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.harness.machine import machine
from benchmarks.harness.rows import Row
from pipeline.core.errors import ArtifactError
from pipeline.core.files import write_json


@dataclass(frozen=True)
class Report:
    """What one benchmark found.

    Attributes:
        rows: of its table.
        curves: points behind the rows, kept in a file of their own; empty where there are none.
    """

    rows: Sequence[Row]
    curves: Sequence[Mapping[str, Any]] = ()


def write(folder: Path, name: str, command: str, report: Report) -> None:
    """Keep a report as ``<name>.json`` in ``folder``, and its curves as ``<name>_curves.json``."""
    head = {"command": command, "machine": machine(), "date": datetime.now(UTC).isoformat(timespec="seconds")}
    write_json(folder / f"{name}.json", {**head, "rows": [asdict(row) for row in report.rows]})
    if report.curves:
        write_json(folder / f"{name}_curves.json", {**head, "curves": list(report.curves)})


def read(path: Path) -> dict[str, Any]:
    """A kept report, its rows as :class:`Row`.

    Raises:
        ArtifactError: there is none, or it is no report.
    """
    try:
        found = json.loads(path.read_text())
        rows = [Row(**one) for one in found["rows"]]
        return {"command": found["command"], "machine": found["machine"], "date": found["date"], "rows": rows}
    except (OSError, ValueError, KeyError, TypeError):
        raise ArtifactError(f"{path}: expected a benchmark's results, found none; run 'make bench'") from None
