"""The HTML pages, the built viewer that they load, and the format of the data that it reads."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template

from pipeline.core.errors import ArtifactError

TEMPLATE = Path(__file__).with_name("page.html")
STATIC = Path(__file__).with_name("static")

# page: its script in the viewer
PAGES: Mapping[str, str] = {
    "index.html": "atlas",
    "contents.html": "contents",
    "patch.html": "patch",
    "evidence.html": "evidence",
    "units.html": "units",
    "explain.html": "explain",
    "synthesize.html": "synthesize",
}
# script: what the page is called, and what it is about, for the browser's list of tabs and for shared links
TITLES: Mapping[str, str] = {
    "contents": "Contents",
    "patch": "Patch test",
    "evidence": "Evidence",
    "units": "Units",
    "explain": "Explanations",
    "synthesize": "Syntheses",
}
DESCRIPTIONS: Mapping[str, str] = {
    "atlas": "A zoomable map of the visual concepts that a network has learned.",
    "contents": "All atlases, tests and measurements of an activation atlas.",
    "patch": "Which patches of images change the class that a network predicts, beside four controls.",
    "units": "What single channels of a network respond to: optimized images, examples and figures.",
    "explain": "Which places of an image a network's score comes from: heat maps by several methods, and their tests.",
    "synthesize": "Pictures made from images and cells of an atlas: dreams, inversions, textures, styles, paintings.",
    "evidence": "Whether attributions predict what ablation and steering do to a network's output.",
}
DATA_FORMAT = 6  # in the manifest; raised when names or meanings in the data files change
VIEWER_FILES = (*(f"{script}.{kind}" for script in PAGES.values() for kind in ("js", "css")), "THIRD-PARTY.txt")


def page(title: str, script: str, subject: str = "") -> str:
    """The HTML of a page that loads the manifest and ``script``; its texts are escaped.

    Args:
        title: of the site; pages other than the atlas are called after their content first.
        script: of the page in the viewer.
        subject: sentence about the run, at the end of the page's description.
    """
    named = f"{TITLES[script]} · {title}" if script in TITLES else title
    description = f"{DESCRIPTIONS[script]} {subject}".rstrip()
    template = Template(TEMPLATE.read_text(encoding="utf-8"))
    return template.substitute(title=escape(named), description=escape(description), page=script)


def viewer_files() -> dict[str, bytes]:
    """The built viewer's files by name; they ship inside the package.

    Raises:
        ArtifactError: the viewer has not been built.
    """
    missing = [name for name in VIEWER_FILES if not (STATIC / name).is_file()]
    if missing:
        raise ArtifactError(
            f"{STATIC}: expected the built viewer, found no {', '.join(missing)}; build it with 'make install' "
            "or by installing the project again"
        )
    return {name: (STATIC / name).read_bytes() for name in VIEWER_FILES}
