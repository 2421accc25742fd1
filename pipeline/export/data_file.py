"""A data file of the site => what it says."""

import json
from pathlib import Path
from typing import Any

from pipeline.core.errors import ArtifactError


def read_part(path: Path) -> dict[str, Any]:
    """The content of a script that :func:`pipeline.core.pack.part` wrote.

    Raises:
        ArtifactError: there is no such file, or it is damaged.
    """
    try:
        text = path.read_text("ascii")
        found = json.loads(text.partition("]=")[2].removesuffix(";\n"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise ArtifactError(f"{path}: expected a data file of the site, found none; run 'atlas run' again")
    return found
