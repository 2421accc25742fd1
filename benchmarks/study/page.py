"""The tables of ``docs/render-study.md``; the prose around them is left as it is."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.machine import in_words, machine
from pipeline.core.errors import ConfigError
from pipeline.core.files import atomic

# <!-- study: LAYER --> anything <!-- end of study -->
BLOCK = re.compile(r"(<!-- study: (\S+) -->\n).*?(<!-- end of study -->)", re.DOTALL)
COLUMNS = (
    *("row", "centered", "10th percentile", "raw", "retrieval"),
    *("recognized", "percentile of the own cell", "icons/s", "contrast"),
)


def rewrite(document: Path, found: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Put each layer's table and picture between its markers; other layers keep theirs.

    Args:
        document: Markdown with a pair of markers for each layer.
        found: rows by layer.

    Raises:
        ConfigError: a layer has no markers.
    """
    text = document.read_text(encoding="utf-8")
    places = {block[2] for block in BLOCK.finditer(text)}
    for layer in found:
        if layer not in places:
            raise ConfigError(f"{document}: expected '<!-- study: {layer} -->' … '<!-- end of study -->', found none")
    blocks = {layer: block(layer, rows) for layer, rows in found.items()}
    text = BLOCK.sub(lambda place: place[1] + blocks[place[2]] + place[3] if place[2] in blocks else place[0], text)
    with atomic(document) as partial:
        partial.write_text(text, encoding="utf-8")


def block(layer: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """A layer's table and picture."""
    lines = [COLUMNS, ("---", *["---:"] * (len(COLUMNS) - 1)), *map(_cells, rows)]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    picture = f"![A dozen icons of {layer} in each row of the table](study/{layer}.webp)"
    return f"\n`python -m benchmarks study`, on {in_words(machine())}.\n\n{table}\n\n{picture}\n\n"


def _cells(one: Mapping[str, Any]) -> tuple[str, ...]:
    fidelities = (f"{one[name]:.3f}" for name in ("centered", "p10", "raw"))
    return (
        one["name"],
        *fidelities,
        f"{one['retrieval']:.0%}",
        f"{one['recognized']:.0%}",
        f"{one['percentile']:.2f}",
        f"{one['icons_per_second']:.1f}",
        f"{one['contrast']:.3f}",
    )
