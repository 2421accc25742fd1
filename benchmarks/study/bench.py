"""The study: every row rendered and measured once and kept, then written as a table and a picture per layer."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.harness import rows as benchmark
from benchmarks.legibility.judged import JUDGES, recognized
from benchmarks.real import SQUEEZENET, real_params, real_run
from benchmarks.study.page import rewrite
from benchmarks.study.rendering import Material, rendered
from benchmarks.study.sheet import LARGEST, strip, write_sheet
from benchmarks.study.variants import EVERYWHERE, VARIANTS, Variant
from pipeline.config.render import RenderSettings
from pipeline.core.errors import ConfigError
from pipeline.core.files import identity
from pipeline.core.progress import log_line
from pipeline.featurevis.judge import DEEPEST

SCRATCH = Path("outputs/.bench/study")
DOCUMENT = Path("docs/render-study.md")
PICTURES = Path("docs/study")
CELLS = 32
QUICK = {"steps": 3, "warm_steps": 3}

Row = dict[str, Any]


def run(quick: bool, layers: Sequence[str] | None = None) -> list[benchmark.Row]:
    """Render every row that is not kept yet, and write each layer's table once it is whole (not when quick).

    Args:
        quick: few cells and next to no steps, to see that every row runs.
        layers: of the networks in the study; all of them where ``None``.

    Returns:
        The fidelity of each row, for the terminal.

    Raises:
        ConfigError: the real input is not there, or no network in the study has one of the layers.
    """
    of_network = {experiment: real_params(experiment).layers for experiment in JUDGES}
    known = [layer for names in of_network.values() for layer in names]
    if unknown := sorted(set(layers or ()).difference(known)):
        raise ConfigError(f"study: expected layers among {', '.join(known)}, found {', '.join(unknown)}")
    found: dict[str, list[Row]] = {}
    folder = SCRATCH.with_name("study_quick") if quick else SCRATCH
    pictures = folder if quick else PICTURES
    less = QUICK if quick else {}
    for experiment, judge in JUDGES.items():
        variants = VARIANTS if experiment == SQUEEZENET else EVERYWHERE
        for layer in [name for name in of_network[experiment] if name in (layers or known)]:
            real = real_run(experiment)
            configured = real.params.render.for_layer(layer).model_copy(
                update={**less, "batch_size": 4 if quick else CELLS}
            )
            material = Material(real, layer, configured, configured.batch_size, real_params(judge).model)
            found[layer] = [_row(variant, material, folder / layer, less) for variant in variants]
            strips = [(one["name"], Image.open(folder / layer / f"{one['key']}.png")) for one in found[layer]]
            write_sheet(pictures / f"{layer}.webp", strips)
            if not quick:
                rewrite(DOCUMENT, {layer: found[layer]})
    return [
        benchmark.row(f"{layer}: {one['name']}, median centered fidelity", one["centered"], "cosine")
        for layer, rows in found.items()
        for one in rows
    ]


def _row(variant: Variant, material: Material, folder: Path, less: Mapping[str, Any]) -> Row:
    """One row, from what is kept if it was rendered before."""
    size = material.configured.size + variant.wider
    settings = material.configured.model_copy(update={**variant.change, "size": size, **less})
    inputs = {
        "variant": asdict(variant),
        "settings": settings.model_dump(mode="json"),
        "layer": material.layer,
        "judge": material.judge.name,
    }
    key = identity(inputs)[:16]
    rows = folder / "rows.jsonl"
    kept = next((one for one in _kept(rows) if one["key"] == key), None)
    if kept and (folder / f"{key}.png").is_file():
        return kept
    found = {"key": key, **_measured(variant, material, settings, folder / f"{key}.png")}
    with rows.open("a", encoding="utf-8") as lines:
        lines.write("\n" + json.dumps(found))  # a line that was cut short before stays a line of its own
    log_line(f"{material.layer}: {variant.name}: centered {found['centered']:.3f}")
    return found


def _kept(path: Path) -> list[Row]:
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            found.append(json.loads(line))
        except ValueError:  # killed while it was written
            continue
    return found


def _measured(variant: Variant, material: Material, settings: RenderSettings, picture: Path) -> Row:
    icons, seconds = rendered(variant, material, settings)
    picture.parent.mkdir(parents=True, exist_ok=True)
    strip(icons, min(material.configured.size, LARGEST)).save(picture)
    found = material.cells.measured(icons, settings.size)
    judged = material.judged.icons(icons[torch.from_numpy(material.judged.known)])
    return {
        "name": variant.name,
        "centered": float(np.median(found.scores["fidelity_centred"])),
        "p10": float(np.quantile(found.scores["fidelity_centred"], 0.1)),
        "raw": float(np.median(found.scores["fidelity"])),
        "retrieval": _retrieved(material, found.activation),
        "recognized": float(recognized(judged).mean()),
        "percentile": float(judged.percentile[-DEEPEST:].mean()),
        "icons_per_second": len(icons) / seconds,
        "contrast": float(icons.float().flatten(1).std(dim=1).mean() / 255),
    }


def _retrieved(material: Material, activation: np.ndarray[Any, np.dtype[np.float32]]) -> float:
    """Share of the icons whose nearest cell of the whole level, by centered cosine, is their own."""
    cells, level = material.cells, material.level
    means = level.mean - level.layer_mean
    nearest = np.argmax(
        (activation - level.layer_mean) @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T, axis=1
    )
    return float((level.place[nearest] == cells.place).all(axis=1).mean())
