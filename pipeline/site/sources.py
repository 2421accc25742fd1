"""What the stage reads: grids with their icons, and what earlier stages say of themselves."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core.errors import ArtifactError
from pipeline.core.store import array, level
from pipeline.site.exemplars import spread_to_cells
from pipeline.site.level import LevelCells


def values(group: zarr.Group, name: str) -> NDArray[Any]:
    """The array ``name`` of an opened artifact or of one of its levels, in memory."""
    return np.asarray(array(group, name)[:])


def read_level(grid: zarr.Group, icons: zarr.Group, size: int) -> LevelCells:
    """The cells of grid level ``size`` and what is known of their icons."""
    cells, drawn = level(grid, size), level(icons, size)
    count = values(cells, "count")
    at = values(drawn, "cell")
    return LevelCells(
        size=size,
        cell=values(cells, "cell"),
        count=count,
        drawn=values(cells, "drawn"),
        attribution=_attribution(cells, len(count)),
        spread=values(cells, "spread"),
        reliability=values(cells, "reliability"),
        exemplar=values(cells, "exemplar"),
        fidelity=spread_to_cells(values(drawn, "fidelity"), at, len(count)),
        fidelity_centred=spread_to_cells(values(drawn, "fidelity_centred"), at, len(count)),
    )


def attribution_scale(grid: zarr.Group, levels: Sequence[int]) -> float:
    """The largest magnitude of any drawn cell's attribution over all classes and levels; 0 without attributions."""
    largest = 0.0
    for size in levels:
        cells = level(grid, size)
        drawn = values(cells, "drawn")
        largest = max(largest, float(np.abs(_attribution(cells, len(drawn))[drawn]).max(initial=0.0)))
    return largest


def read_tiles(folder: Path, levels: Sequence[int]) -> dict[str, Any]:
    """What the stage ``tile`` says of its files: ``format``, ``tile_size``, ``overlap`` and the ``levels``' sizes.

    Raises:
        ArtifactError: it is missing or lacks a level.
    """
    path = folder / "tiles.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ArtifactError(f"{path}: expected the list of tiles, found none; run the stage tile") from None
    missing = [str(size) for size in levels if str(size) not in found["levels"]]
    if missing:
        raise ArtifactError(f"{path}: expected levels {', '.join(missing)}, found none; run the stage tile again")
    return found


def read_zero_shares(outputs: Path) -> dict[str, float]:
    """Share of exactly zero attributions by layer, where the stage ``sample`` left its metrics."""
    try:
        metrics = json.loads((outputs / "metrics" / "sample.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    layers = metrics.get("layers", metrics)
    return {
        name: float(counts["zero_attributions"])
        for name, counts in layers.items()
        if isinstance(counts, dict) and "zero_attributions" in counts
    }


def _attribution(cells: zarr.Group, count: int) -> NDArray[np.float32]:
    """[cell, class]; no class at all where attributions were not recorded."""
    if "attribution" not in cells:
        return np.zeros((count, 0), np.float32)
    return values(cells, "attribution")
