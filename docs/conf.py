"""Sphinx's settings for this folder: ``make docs``."""

import re

from sphinx.application import Sphinx

from pipeline import __version__

project = "Activation Atlas"
author = "The activation-atlas authors"
project_copyright = ""
release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "generate"]
source_suffix = {".md": "markdown"}

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4  # as GitHub names them, so that a link works in both places

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
default_role = "literal"

html_theme = "pydata_sphinx_theme"
html_title = "Activation Atlas"
html_theme_options = {"navbar_center": [], "navigation_with_keys": False, "secondary_sidebar_items": ["page-toc"]}
html_sidebars = {"**": ["globaltoc"]}  # all pages, below the captions of the index
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False


def escape_stars(_app: Sphinx, _what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Keep the star of ``[image, *shape]`` a star: in a docstring it starts no emphasis."""
    lines[:] = [re.sub(r"(?<=[\[ ])\*(?=\w)", r"\\*", line) for line in lines]


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", escape_stars)
