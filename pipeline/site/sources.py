"""What the stage reads: grids with their icons, and what earlier stages say of themselves."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core import artifacts as a
from pipeline.core.cells import nested_levels
from pipeline.core.errors import ArtifactError
from pipeline.core.moments import layer_mean, row_blocks
from pipeline.core.zarr_store import array, level, open_artifact
from pipeline.site.atlas import AtlasSource
from pipeline.site.descent import Descent, descent
from pipeline.site.exemplars import spread_to_cells
from pipeline.site.level import LevelCells
from pipeline.site.membership import Membership
from pipeline.site.neighbours import neighbours
from pipeline.site.uses import class_directions
from pipeline.stages import Task


def values(group: zarr.Group, name: str) -> NDArray[Any]:
    """The array ``name`` of an opened artifact or of one of its levels, in memory."""
    return np.asarray(array(group, name)[:])


def read_atlas(task: Task, layer: str, atlas: str, sizes: Sequence[int]) -> AtlasSource:
    """Everything that is stored of one atlas of one layer."""
    grid = open_artifact(a.GRID, task.path(a.GRID, layer, atlas))
    icons = open_artifact(a.ICONS, task.path(a.ICONS, layer, atlas))
    samples = open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS, layer))
    axis: Any = open_artifact(a.LAYOUT, task.path(a.LAYOUT, layer, atlas)).attrs.get("axis")
    return AtlasSource(
        levels=tuple(read_level(grid, icons, size) for size in sizes),
        tiles=read_tiles(task.path(a.TILES, layer, atlas), sizes),
        scale=attribution_scale(grid, sizes),
        axis=axis,
        image=values(samples, "image"),
        position=values(samples, "position"),
    )


def read_membership(task: Task, layer: str, atlas: str, sizes: Sequence[int]) -> Membership:
    """Which cells the samples of an atlas lie in, at each level."""
    layout = open_artifact(a.LAYOUT, task.path(a.LAYOUT, layer, atlas))
    grid = open_artifact(a.GRID, task.path(a.GRID, layer, atlas))
    levels = nested_levels(values(layout, "xy"), sizes)
    drawn = {size: values(level(grid, size), "drawn") for size in sizes}
    return Membership(values(layout, "sample"), {found.size: found for found in levels}, drawn)


def read_directions(samples: zarr.Group, label: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """Directions of the classes' mean activations [class, channel].

    A sample's class is its image's label; where no image has one, the class of its strongest positive attribution.

    Args:
        samples: activations of the reference layer.
        label: [image] class, -1 where it is not known.
        classes: how many there are.
    """
    activation = array(samples, "activation")
    known = bool((label >= 0).any())
    if not known and "attribution" not in samples:
        return np.full((classes, activation.shape[1]), np.nan, np.float32)
    of_sample = (
        label[values(samples, "image")]
        if known
        else np.concatenate([_strongest(block) for _, block in row_blocks(array(samples, "attribution"))])
    )
    blocks = ((np.arange(first, first + len(block)), block) for first, block in row_blocks(activation))
    return class_directions(blocks, of_sample, classes, layer_mean(activation).astype(np.float32))


def read_level(grid: zarr.Group, icons: zarr.Group, size: int) -> LevelCells:
    """The cells of grid level ``size`` and what is known of their icons."""
    cells, icon = level(grid, size), level(icons, size)
    count, drawn = values(cells, "count"), values(cells, "drawn")
    at = values(icon, "cell")
    return LevelCells(
        size=size,
        cell=values(cells, "cell"),
        count=count,
        drawn=drawn,
        attribution=read_attribution(cells, len(count)),
        spread=values(cells, "spread"),
        reliability=values(cells, "reliability"),
        exemplar=values(cells, "exemplar"),
        fidelity=spread_to_cells(values(icon, "fidelity"), at, len(count)),
        fidelity_centred=spread_to_cells(values(icon, "fidelity_centred"), at, len(count)),
        alike=neighbours(values(cells, "activation"), drawn, values(grid, "mean")),
        descent=_descent(icons, size, at, len(count)),
    )


def attribution_scale(grid: zarr.Group, levels: Sequence[int]) -> float:
    """The largest magnitude of any drawn cell's attribution over all classes and levels; 0 without attributions."""
    largest = 0.0
    for size in levels:
        cells = level(grid, size)
        drawn = values(cells, "drawn")
        largest = max(largest, float(np.abs(read_attribution(cells, len(drawn))[drawn]).max(initial=0.0)))
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


def read_zero_share(task: Task, layer: str) -> float | None:
    """Share of a layer's attributions that are exactly zero, as ``sample`` counted them; None without attributions."""
    tally: Any = open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS, layer)).attrs.get("tally")
    if not tally or not tally["attributions"]:
        return None
    return round(float(tally["zero_attributions"] / tally["attributions"]), 4)


def _descent(icons: zarr.Group, size: int, at: NDArray[np.int64], cells: int) -> NDArray[np.uint8]:
    """[cell] what each icon was drawn from; unknown where there is none, and where icons have no keys."""
    found = np.full(cells, Descent.UNKNOWN, np.uint8)
    own = level(icons, size)
    if "key" not in own:
        return found
    coarser = max((int(name) for name in icons.group_keys() if int(name) < size), default=None)
    above = values(own, "key")[:0] if coarser is None else values(level(icons, coarser), "key")
    found[at] = descent(values(own, "key"), values(own, "parent"), above)
    return found


def _strongest(attribution: NDArray[Any]) -> NDArray[np.int64]:
    """[sample] the class of largest attribution [sample, class], -1 where none is positive."""
    return np.where(attribution.max(axis=1) > 0, attribution.argmax(axis=1), -1)


def read_attribution(cells: zarr.Group, count: int) -> NDArray[np.float32]:
    """[cell, class]; no class at all where attributions were not recorded."""
    if "attribution" not in cells:
        return np.zeros((count, 0), np.float32)
    return values(cells, "attribution")
