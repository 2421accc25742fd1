"""The fault table, for a terminal and for ``docs/faults.md``."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.harness.machine import in_words, machine
from pipeline.core.files import atomic
from tests.soak.outcomes import Row

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"
BEGIN, END = "<!-- fault table -->\n", "<!-- end of fault table -->"
SHOWN = 200  # characters of a line


def line(row: Row) -> str:
    """A row for a terminal."""
    mark = "ok  " if row.holds else "FAIL"
    return f"{mark} {row.stage:15} {row.fault:50} {row.summary()}  {row.example()}"


def write(rows: Sequence[Row], command: str) -> None:
    """Put the table between the markers of the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    heading = f"`{command}`, {datetime.now(UTC):%Y-%m-%d}, on {in_words(machine())}."
    lines = ["| stage | fault | outcome | seen |", "| --- | --- | --- | --- |", *map(_markdown, rows)]
    with atomic(DOCUMENT) as partial:
        partial.write_text(f"{before}{BEGIN}\n{heading}\n\n" + "\n".join(lines) + f"\n\n{END}{after}", encoding="utf-8")


def _markdown(row: Row) -> str:
    example = row.example()
    shown = example if len(example) <= SHOWN else example[: SHOWN - 1] + "…"
    cells = (row.stage, row.fault, row.summary(), shown)
    return "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |"
