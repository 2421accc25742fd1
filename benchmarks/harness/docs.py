"""Write the tables of ``docs/benchmarks.md`` from the stored results; the text around them stays."""

import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness.machine import in_words
from benchmarks.harness.report import read
from benchmarks.harness.rows import HEADINGS, Row, cells
from pipeline.core.errors import ConfigError
from pipeline.core.files import atomic

# <!-- results: NAME --> anything <!-- end of results -->
BLOCK = re.compile(r"(<!-- results: ([a-z_]+) -->\n).*?(<!-- end of results -->)", re.DOTALL)


def rewrite(document: Path, results: Path) -> list[str]:
    """Write the stored results between the markers of a document.

    Args:
        document: Markdown with a pair of markers for each benchmark.
        results: folder of the stored results.

    Returns:
        The names of the benchmarks whose tables were written.

    Raises:
        ConfigError: the document has no markers.
        ArtifactError: a benchmark that it names has no results.
    """
    text = document.read_text(encoding="utf-8")
    names = [found[2] for found in BLOCK.finditer(text)]
    if not names:
        raise ConfigError(f"{document}: expected '<!-- results: NAME -->' … '<!-- end of results -->', found neither")
    blocks = {name: _block(results / f"{name}.json") for name in names}
    with atomic(document) as partial:
        partial.write_text(BLOCK.sub(lambda found: found[1] + blocks[found[2]] + found[3], text), encoding="utf-8")
    return names


def _block(path: Path) -> str:
    found = read(path)
    caption = f"`{found['command']}`, {found['date'][:10]}, on {in_words(found['machine'])}."
    return f"\n{caption}\n\n{_markdown(found['rows'])}\n\n"


def _markdown(rows: Sequence[Row]) -> str:
    lines = [HEADINGS, ("---", "---:", "---", "---", "---"), *map(cells, rows)]
    return "\n".join("| " + " | ".join(text.replace("|", "\\|") for text in line) + " |" for line in lines)
