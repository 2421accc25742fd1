"""Reading the documentation's pages: fenced blocks, links and anchors."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:href|src|srcset)=\"([^\"]+)\"")


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, its language and its text."""

    page: Path
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(page, found[1], found[2]) for found in FENCE.finditer(page.read_text(encoding="utf-8"))]


def links(page: Path) -> Iterator[str]:
    """The targets of a page's links and pictures, but for those to other hosts."""
    text = re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text(encoding="utf-8")))
    for found in LINK.finditer(text):
        target = found[1] or found[2]
        if not re.match(r"https?://|mailto:", target):
            yield target


def anchors(page: Path) -> list[str]:
    """The anchors of a page: those of its headings, as GitHub and MyST name them, and those that it sets."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return [*map(slug, headings), *re.findall(r'<a id="([^"]+)">', text)]


def slug(heading: str) -> str:
    """The anchor of a heading."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def broken(page: Path) -> list[str]:
    """The links of a page to a file or an anchor that is not there."""
    found = []
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            found.append(target)
    return found
