"""The table of networks, for a terminal and for ``docs/networks.md``."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipeline.core.files import atomic
from tests.networks.checks import Row

DOCUMENT = Path(__file__).parents[2] / "docs" / "networks.md"
BEGIN, END = "<!-- table of networks -->\n", "<!-- end of table of networks -->"
SHOWN = 140  # characters of a refusal
HEADS = ("network", "layer", "found", "layout", "activation", "attribution", "place", "icon")


def line(row: Row) -> str:
    """A row for a terminal."""
    return f"{'ok  ' if row.holds else 'FAIL'} {' | '.join(_cells(row))}"


def write(rows: Sequence[Row], command: str) -> None:
    """Put the table between the markers of the document."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    right = sum(row.holds for row in rows)
    networks = len({row.network for row in rows})
    heading = f"`{command}`, {datetime.now(UTC):%Y-%m-%d}: {right} of {len(rows)} rows hold, of {networks} networks."
    lines = [f"| {' | '.join((*HEADS, 'right'))} |", "| " + "--- | " * (len(HEADS) + 1), *map(_markdown, rows)]
    with atomic(DOCUMENT) as partial:
        partial.write_text(f"{before}{BEGIN}\n{heading}\n\n" + "\n".join(lines) + f"\n\n{END}{after}", encoding="utf-8")


def _cells(row: Row) -> tuple[str, ...]:
    if not row.layout:
        reason = row.refused.removeprefix(f"layers: expected a layer with a map or token grid, found {row.layer!r}, ")
        shown = reason if len(reason) <= SHOWN else reason[: SHOWN - 1] + "…"
        return row.network, row.layer, row.found, f"refused: {shown}", *[""] * 4
    place = "" if row.place != row.place else f"{row.place:.2f}"
    icon = "" if row.fidelity != row.fidelity else f"{row.fidelity:.2f}"
    return row.network, row.layer, row.found, row.layout, f"{row.activation:.0e}", f"{row.attribution:.0e}", place, icon


def _markdown(row: Row) -> str:
    cells = (*_cells(row), "yes" if row.holds else "NO")
    return "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |"
