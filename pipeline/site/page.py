"""The page itself: a small frame that loads the manifest and the viewer."""

from html import escape
from pathlib import Path
from string import Template

TEMPLATE = Path(__file__).with_name("page.html")


def page(title: str) -> str:
    """The HTML of the page; ``title`` is shown as text, whatever is in it."""
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(title=escape(title))
