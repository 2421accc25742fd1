"""The numbers that the stages measured, gathered for the page of contents."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.params import Params

Content = dict[str, Any]

MEASURED = ("reduce", "grid", "render")  # stages that measure each atlas


def measured(metrics: Path, params: Params) -> Content:
    """What was measured, as the page shows it.

    Args:
        metrics: the folder that the stages write their numbers to; what is missing there is null.
        params: names layers and atlases.

    Returns:
        ``images`` (of ``prepare``), ``layers`` (of ``sample``, by layer) and ``atlases``: by layer and atlas the
        ``layout`` as a whole and the ``levels`` of its grid, coarse to fine, each with its cells and icons.
    """
    sampled = _read(metrics / "sample.json") or {}
    return {
        "images": _read(metrics / "prepare.json"),
        "layers": {layer: sampled.get(layer) for layer in params.layers},
        "atlases": {
            layer: {
                atlas: _atlas(metrics, f"{layer}/{atlas}", params.grid.for_atlas(atlas)) for atlas in params.atlases
            }
            for layer in params.layers
        },
    }


def _atlas(metrics: Path, name: str, sizes: Sequence[int]) -> Content:
    layout, cells, icons = (_read(metrics / stage / f"{name}.json") for stage in MEASURED)
    levels = [{"size": size, "cells": _of(cells, size), "icons": _of(icons, size)} for size in sizes]
    return {"layout": layout, "levels": levels}


def _of(found: Mapping[str, Any] | None, size: int) -> Any:
    return None if found is None else found.get(str(size))


def _read(path: Path) -> Content | None:
    """The numbers of a file, those that are none as null; None where there is no such file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda _: None)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
