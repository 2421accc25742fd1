"""The numbers that the stages measured, laid beside the site for its page of contents.

They are gathered by the commands and not by the stage ``site``: a run's metrics are written for people and carry no
checksum, so no artifact is made from them.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.core.errors import ArtifactError
from pipeline.core.files import atomic
from pipeline.core.pack import part
from pipeline.export.data_file import read_part
from pipeline.export.loaded import FIGURES

Found = dict[str, Any]

MEASURED = ("reduce", "grid", "render")  # stages that measure each atlas


def write_figures(outputs: Path) -> None:
    """Write the numbers of a run beside its site; where there is no site, or no place to write, nothing is done."""
    site = outputs / "site"
    with suppress(ArtifactError, OSError):
        content = gathered(outputs / "metrics", read_part(site / "data/manifest.js"))
        with atomic(site / FIGURES) as partial:
            partial.write_text(part("figures", content), encoding="ascii")


def gathered(metrics: Path, manifest: Mapping[str, Any]) -> Found:
    """What was measured, as the page shows it.

    Args:
        metrics: the folder that the stages write their numbers to; what is missing there is null.
        manifest: of the site, which names layers, atlases and levels.

    Returns:
        ``images`` (of ``prepare``), ``layers`` (of ``sample``, by layer) and ``atlases``: by layer and atlas the
        ``layout`` as a whole and the ``levels`` of its grid, coarse to fine, each with its cells and icons.
    """
    sampled = _read(metrics / "sample.json") or {}
    names = [layer["name"] for layer in manifest["layers"]]
    return {
        "images": _read(metrics / "prepare.json"),
        "layers": {layer: sampled.get(layer) for layer in names},
        "atlases": {
            layer["name"]: {
                atlas["name"]: _atlas(
                    metrics, f"{layer['name']}/{atlas['name']}", [level["size"] for level in atlas["levels"]]
                )
                for atlas in layer["atlases"]
            }
            for layer in manifest["layers"]
        },
    }


def _atlas(metrics: Path, name: str, sizes: Iterable[int]) -> Found:
    layout, cells, icons = (_read(metrics / stage / f"{name}.json") for stage in MEASURED)
    levels = [{"size": size, "cells": _of(cells, size), "icons": _of(icons, size)} for size in sizes]
    return {"layout": layout, "levels": levels}


def _of(found: Mapping[str, Any] | None, size: int) -> Any:
    return None if found is None else found.get(str(size))


def _read(path: Path) -> Found | None:
    """The numbers of a file, those that are none as null; None where there is no such file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda _: None)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
