"""The metrics of all stages in one file, for the page of contents.

The commands collect them and not the stage ``site``, since metrics are written for people and carry no checksum, so no
artifact may be made from them.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.core.errors import ArtifactError
from pipeline.core.files import atomic
from pipeline.core.site_data import data_script, read_data_script

Metrics = dict[str, Any]

METRICS_FILE = "figures.js"  # beside the pages
METRIC_STAGES = ("reduce", "grid", "render")  # stages with metrics of each atlas


def write_site_metrics(outputs: Path) -> None:
    """Write the metrics of a run beside its site; do nothing where there is no site or it is not writable."""
    site = outputs / "site"
    with suppress(ArtifactError, OSError):
        content = collect_metrics(outputs / "metrics", read_data_script(site / "data/manifest.js"))
        with atomic(site / METRICS_FILE) as partial:
            partial.write_text(data_script("figures", content), encoding="ascii")


def collect_metrics(metrics: Path, manifest: Mapping[str, Any]) -> Metrics:
    """The metrics of a run as the page reads them.

    Args:
        metrics: the folder that the stages write their metrics to; what is missing there is null.
        manifest: of the site, which names layers, atlases and levels.

    Returns:
        ``images`` (of ``prepare``), ``layers`` (of ``sample``, by layer) and ``atlases``: by layer and atlas the
        ``layout`` as a whole and the ``levels`` of its grid, coarse to fine, each with its cells and icons.
    """
    sampled = _read_metrics(metrics / "sample.json") or {}
    names = [layer["name"] for layer in manifest["layers"]]
    return {
        "images": _read_metrics(metrics / "prepare.json"),
        "layers": {layer: sampled.get(layer) for layer in names},
        "atlases": {
            layer["name"]: {
                atlas["name"]: _atlas_metrics(
                    metrics, f"{layer['name']}/{atlas['name']}", [level["size"] for level in atlas["levels"]]
                )
                for atlas in layer["atlases"]
            }
            for layer in manifest["layers"]
        },
    }


def _atlas_metrics(metrics: Path, name: str, sizes: Iterable[int]) -> Metrics:
    layout, cells, icons = (_read_metrics(metrics / stage / f"{name}.json") for stage in METRIC_STAGES)
    levels = [
        {"size": size, "cells": _level_metrics(cells, size), "icons": _level_metrics(icons, size)} for size in sizes
    ]
    return {"layout": layout, "levels": levels}


def _level_metrics(found: Mapping[str, Any] | None, size: int) -> Any:
    return None if found is None else found.get(str(size))


def _read_metrics(path: Path) -> Metrics | None:
    """The content of a JSON file, NaN and infinities as null; None where there is no such file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda _: None)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
