"""The pages themselves: small frames that load the manifest and the viewer."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template

TEMPLATE = Path(__file__).with_name("page.html")

# file: the script that fills it
PAGES: Mapping[str, str] = {
    "index.html": "atlas",
    "contents.html": "contents",
    "patch.html": "patch",
    "evidence.html": "evidence",
}


def page(title: str, script: str) -> str:
    """The HTML of a page; ``title`` is shown as text, whatever is in it."""
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(title=escape(title), page=script)
