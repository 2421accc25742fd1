"""The pages with parts that are made from the code."""

from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generate import artifacts, settings, troubleshooting

DOCS = Path(__file__).parents[1]
PAGES: Mapping[str, Callable[[str], str]] = {
    "settings.md": settings.rewritten,
    "artifacts.md": artifacts.rewritten,
    "troubleshooting.md": troubleshooting.rewritten,
}
