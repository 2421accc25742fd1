"""Readers of what the stage needs from earlier stages: levels with their icons, samples' cells, tiles, class means."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core import artifacts as a
from pipeline.core.cells import assign_cells
from pipeline.core.errors import ArtifactError
from pipeline.core.files import folder_digest
from pipeline.core.grid_levels import GridLevel, IconLevel, grid_level, icon_level, level_sizes
from pipeline.core.icon_styles import IconStyle, stored_styles, style_group
from pipeline.core.moments import channel_deviations
from pipeline.core.zarr_store import StoredArray, array, open_artifact
from pipeline.site.cell_data import IconOrigin, Neighbors, SampleCells, icon_origins, label_counts, nearest_cells
from pipeline.site.channels import ChannelScale
from pipeline.site.polysemantic_cells import class_profiles
from pipeline.stages import Task


@dataclass(frozen=True, eq=False)
class CellIcons:
    """The data of a level's icons of one style, cell by cell.

    Attributes:
        fidelity, fidelity_centred: [cell], NaN where there is no icon.
        legibility: likewise; None without a judge.
        large_fidelity_centred: likewise, of the large icons, which the tiles show; None without large icons.
        origin: [cell] what its icon's optimization started from, see :class:`pipeline.site.cell_data.IconOrigin`.
    """

    fidelity: NDArray[np.float32]
    fidelity_centred: NDArray[np.float32]
    legibility: NDArray[np.float32] | None
    large_fidelity_centred: NDArray[np.float32] | None
    origin: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class AtlasLevel:
    """One grid level of an atlas.

    Attributes:
        grid: the cells.
        neighbors: the most similar cells of each.
        icons: the data of their icons, by style; the first style is the one shown first.
    """

    grid: GridLevel
    neighbors: Neighbors
    icons: Mapping[IconStyle, CellIcons]

    @property
    def size(self) -> int:
        """Cells per side of the whole grid."""
        return self.grid.size


@dataclass(frozen=True)
class AtlasSource:
    """The stored data of one atlas of one layer.

    Attributes:
        levels: its cells, coarse to fine.
        styles: of its icons; the first is the one shown first.
        tiles: the content of ``tiles.json``.
        scale: the largest magnitude of any drawn cell's attribution, logit; 0 without attributions.
        axis: of a comparison.
        image: [sample] row of each sample's image.
        position: [sample, 2] (y, x) in the layer's map.
        attribution: [sample, class] as stored, logit; None without attributions.
        prediction: [sample] class that the network predicts for each sample's image; None where it was not recorded.
        xy: [point, 2] the layout.
    """

    levels: tuple[AtlasLevel, ...]
    styles: tuple[IconStyle, ...]
    tiles: Mapping[str, Any]
    scale: float
    axis: Mapping[str, float] | None
    image: NDArray[np.int64]
    position: NDArray[np.int32]
    attribution: StoredArray | None
    prediction: NDArray[np.int32] | None
    xy: NDArray[np.float32]


def read_values(group: zarr.Group, name: str) -> NDArray[Any]:
    """The array ``name`` of an opened artifact, in memory."""
    return np.asarray(array(group, name)[:])


def read_atlas(task: Task, layer: str, atlas: str, sizes: Sequence[int]) -> AtlasSource:
    """The stored data of one atlas of one layer."""
    grid = open_artifact(a.GRID, task.path(a.GRID, layer, atlas))
    icons = open_artifact(a.ICONS, task.path(a.ICONS, layer, atlas))
    samples = open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS, layer))
    layout = open_artifact(a.LAYOUT, task.path(a.LAYOUT, layer, atlas))
    axis: Any = layout.attrs.get("axis")
    levels = tuple(read_level(grid, icons, size) for size in sizes)
    return AtlasSource(
        levels=levels,
        styles=stored_styles(icons),
        tiles=read_tiles(task.path(a.TILES, layer, atlas), sizes),
        scale=attribution_scale([level.grid for level in levels]),
        axis=axis,
        image=read_values(samples, "image"),
        position=read_values(samples, "position"),
        attribution=array(samples, "attribution") if "attribution" in samples else None,
        prediction=read_values(samples, "prediction") if "prediction" in samples else None,
        xy=read_values(layout, "xy"),
    )


def read_sample_cells(task: Task, layer: str, atlas: str, sizes: Sequence[int]) -> SampleCells:
    """The cells of an atlas's samples at each level."""
    layout = open_artifact(a.LAYOUT, task.path(a.LAYOUT, layer, atlas))
    grid = open_artifact(a.GRID, task.path(a.GRID, layer, atlas))
    levels = assign_cells(read_values(layout, "xy"), sizes)
    drawn = {size: grid_level(grid, size).drawn for size in sizes}
    return SampleCells(read_values(layout, "sample"), {found.size: found for found in levels}, drawn)


def read_class_profiles(
    task: Task, label: NDArray[np.int64], classes: int, finest: int
) -> tuple[NDArray[np.float32], ...]:
    """The distribution of each class over the cells of every layer; none without attributions.

    Args:
        task: of the stage.
        label: [image] the network's class, -1 where it is not known.
        classes: number of the network's classes.
        finest: cells are those of the finest level of the atlas of all samples up to this one, else of the coarsest.
    """
    found = []
    for layer in task.params.layers:
        grid = open_artifact(a.GRID, task.path(a.GRID, layer, "all"))
        sizes = level_sizes(grid)
        size = max((size for size in sizes if size <= finest), default=min(sizes))
        level = grid_level(grid, size)
        if not level.has_attribution:
            continue
        labeled = None
        if (label >= 0).any():
            samples = open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS, layer))
            cells = read_sample_cells(task, layer, "all", [size])
            of_point = label[read_values(samples, "image")[cells.sample]]
            labeled = label_counts(cells.levels[size], of_point, classes)
        found.append(class_profiles(level.attribution, level.count, labeled))
    return tuple(found)


def read_level(grid: zarr.Group, icons: zarr.Group, size: int) -> AtlasLevel:
    """The cells of grid level ``size`` and the data of their icons."""
    cells = grid_level(grid, size)
    return AtlasLevel(
        grid=cells,
        neighbors=nearest_cells(cells.activation, cells.drawn, read_values(grid, "mean")),
        icons={style: _cell_icons(style_group(icons, style), size, len(cells)) for style in stored_styles(icons)},
    )


def attribution_scale(levels: Sequence[GridLevel]) -> float:
    """The largest magnitude of any drawn cell's attribution over all classes and levels; 0 without attributions."""
    return max((float(np.abs(level.attribution[level.drawn]).max(initial=0.0)) for level in levels), default=0.0)


def read_tiles(folder: Path, sizes: Sequence[int]) -> dict[str, Any]:
    """The content of ``tiles.json``: ``format``, ``tile_size``, ``overlap`` and the ``levels``' image sizes.

    The tiles of these levels, which the site copies into scripts, must be those that were written.

    Args:
        folder: of an atlas's tiles.
        sizes: of the levels, cells a side.

    Raises:
        ArtifactError: it is missing or lacks a level, or a level's tiles are damaged.
    """
    path = folder / "tiles.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ArtifactError(f"{path}: expected the list of tiles, found none; run the stage tile") from None
    missing = [str(size) for size in sizes if str(size) not in found["levels"]]
    if missing:
        raise ArtifactError(f"{path}: expected levels {', '.join(missing)}, found none; run the stage tile again")
    if "digests" not in found:
        raise ArtifactError(f"{path}: expected digests of the tiles, found none; run the stage tile again")
    for name, digest in found["digests"].items():
        if int(name.rpartition("/")[2]) in sizes and folder_digest(folder / f"{name}_files") != digest:
            raise ArtifactError(
                f"{folder / name}_files: expected the tiles that were written, found others; run the stage tile again"
            )
    return found


def read_channel_scale(task: Task, layer: str) -> ChannelScale:
    """Mean and standard deviation of a layer's channels over all of its samples."""
    mean = read_values(open_artifact(a.GRID, task.path(a.GRID, layer, "all")), "mean")
    samples = open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS, layer))
    deviation = channel_deviations(array(samples, "activation"))
    return ChannelScale(mean.astype(np.float32), deviation.astype(np.float32))


def read_zero_share(task: Task, layer: str) -> float | None:
    """Share of a layer's attributions that are exactly zero, as ``sample`` counted them; None without attributions."""
    counts: Any = open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS, layer)).attrs.get("tally")
    if not counts or not counts["attributions"]:
        return None
    return round(float(counts["zero_attributions"] / counts["attributions"]), 4)


def _cell_icons(icons: zarr.Group, size: int, cells: int) -> CellIcons:
    """The data of the icons of one style at grid level ``size``, which has so many cells."""
    icon = icon_level(icons, size)
    return CellIcons(
        fidelity=icon.by_cell(icon.fidelity, cells),
        fidelity_centred=icon.by_cell(icon.fidelity_centred, cells),
        legibility=None if icon.legibility is None else icon.by_cell(icon.legibility, cells),
        large_fidelity_centred=(
            None if icon.large_fidelity_centred is None else icon.by_cell(icon.large_fidelity_centred, cells)
        ),
        origin=_icon_origin(icons, icon, cells),
    )


def _icon_origin(icons: zarr.Group, own: IconLevel, cells: int) -> NDArray[np.uint8]:
    """[cell] origin of each icon; unknown for cells without one."""
    found = np.full(cells, IconOrigin.UNKNOWN, np.uint8)
    coarser = max((size for size in level_sizes(icons) if size < own.size), default=None)
    above = own.key[:0] if coarser is None else icon_level(icons, coarser).key
    found[own.cell] = icon_origins(own.key, own.parent, above)
    return found
