"""One cell of an atlas: its icon, its samples and the images that they come from."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core import artifacts as a
from pipeline.core.cells import assign_cells
from pipeline.core.errors import ArtifactError, ConfigError
from pipeline.core.grid_levels import GridLevel, IconLevel, grid_level, icon_level, level_sizes
from pipeline.core.icon_styles import stored_styles, style_group
from pipeline.core.zarr_store import array, open_artifact

RowColumn = tuple[int, int]
NEAREST = 3  # occupied cells that the error names where the requested one is empty
KEYS = ("key", "parent")  # of an icon, in the icon cache
TOP_CLASSES = 5


@dataclass(frozen=True)
class Sources:
    """The opened artifacts of one layer and atlas, with the icons of one style."""

    activations: zarr.Group
    layout: zarr.Group
    grid: zarr.Group
    icons: zarr.Group
    style: str

    @property
    def sizes(self) -> list[int]:
        """Cells per side of every level, coarse to fine."""
        return level_sizes(self.grid)

    @property
    def baseline(self) -> str | None:
        """What attributions compare an activation with, ``mean`` or ``zero``; None where that is not recorded."""
        settings: Any = self.activations.attrs.get("settings", {})
        found = settings.get("sample", {}).get("baseline")
        return str(found) if found else None

    def cells(self, size: int) -> GridLevel:
        """The cells of a level."""
        return grid_level(self.grid, size)

    def icons_of(self, size: int) -> IconLevel:
        """The icons of a level."""
        return icon_level(self.icons, size)


def open_sources(outputs: Path, layer: str, atlas: str, style: str | None = None) -> Sources:
    """Open the artifacts that describe a cell.

    Args:
        outputs: of the run.
        layer: of the cell.
        atlas: of the cell.
        style: of the icons; the first one by default.

    Raises:
        ArtifactError: an artifact is missing or from another version.
        ConfigError: there are no icons of this style.
    """
    kinds = (a.ACTIVATIONS, a.LAYOUT, a.GRID, a.ICONS)
    activations, layout, grid, icons = (open_artifact(kind, kind.path(outputs, layer, atlas)) for kind in kinds)
    return Sources(activations, layout, grid, style_group(icons, style), style or stored_styles(icons)[0])


def find_cell(sources: Sources, size: int, cell: RowColumn) -> int:
    """The index of a cell among those of its level.

    Args:
        sources: of the atlas.
        size: cells per side of the level.
        cell: (row, column), from 0.

    Raises:
        ConfigError: there is no such level, or the cell is empty.
    """
    if size not in sources.sizes:
        known = ", ".join(map(str, sources.sizes))
        raise ConfigError(f"level: expected one of {known}, found {size}")
    cells = sources.cells(size).cell
    distance = np.abs(cells - np.array(cell)).max(axis=1)
    if len(distance) and distance.min() == 0:
        return int(distance.argmin())
    near = "; ".join(f"{row},{column}" for row, column in cells[np.argsort(distance, kind="stable")[:NEAREST]])
    raise ConfigError(
        f"cell: expected an occupied cell of level {size} as row,column from 0, found none at {cell[0]},{cell[1]}; "
        f"the nearest are {near}"
    )


def describe_cell(sources: Sources, size: int, index: int, classes: Sequence[str]) -> dict[str, Any]:
    """The grid's entries of a cell; numbers that are not known are None."""
    level = sources.cells(size)
    top = []
    if level.has_attribution:
        attribution = np.asarray(level.at("attribution", index))
        strongest = np.argsort(-attribution, kind="stable")[:TOP_CLASSES]
        top = [{"class": int(id_), "name": classes[id_], "logit": float(attribution[id_])} for id_ in strongest]
    return {
        "cell": [int(number) for number in level.at("cell", index)],
        "row": index,
        "count": int(level.at("count", index)),
        "drawn": bool(level.at("drawn", index)),
        "spread": _number(level.at("spread", index)),
        "reliability": _number(level.at("reliability", index)),
        "top_classes": top,
        "baseline": sources.baseline,
    }


def describe_icon(sources: Sources, size: int, index: int) -> dict[str, Any] | None:
    """The icon of a cell: its metrics, the digest of its pixels, its key and its parent's; None where there is none."""
    level = sources.icons_of(size)
    found = np.flatnonzero(level.cell == index)
    if not len(found):
        return None
    icon = int(found[0])
    pixels = np.asarray(level.icon[icon])
    return {
        "row": icon,
        "pixels": pixels.shape[0],
        "sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
        "fidelity": _number(level.at("fidelity", icon)),
        "fidelity_centred": _number(level.at("fidelity_centred", icon)),
        **{name: _key(level, name, icon) for name in KEYS},
        **({"large": _describe_large(level, icon)} if level.has_large else {}),
    }


def _describe_large(level: IconLevel, icon: int) -> dict[str, Any]:
    """The large icon, which the page shows: its metric, the digest of its pixels, and its key."""
    pixels = np.asarray(level.large[icon])
    return {
        "pixels": pixels.shape[0],
        "sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
        "fidelity_centred": _number(level.at("large_fidelity_centred", icon)),
        "key": _key(level, "large_key", icon),
    }


def parent_cells(sources: Sources, size: int, cell: RowColumn) -> list[dict[str, Any]]:
    """The cells of coarser levels that contain this one, the nearest level first, each with its icon's metrics."""
    parents = []
    for coarse in reversed([known for known in sources.sizes if known < size and size % known == 0]):
        above = (cell[0] * coarse // size, cell[1] * coarse // size)
        icon = describe_icon(sources, coarse, find_cell(sources, coarse, above))
        parents.append({"level": coarse, "cell": list(above), "icon": icon})
    return parents


def samples_of(sources: Sources, size: int, index: int) -> NDArray[np.int64]:
    """Rows in activations of the samples that lie in a cell.

    Raises:
        ArtifactError: their number is not the grid's count.
    """
    levels = {found.size: found for found in assign_cells(_values(sources.layout, "xy"), sources.sizes)}
    samples: NDArray[np.int64] = _values(sources.layout, "sample")[levels[size].of_point == index]
    count = int(sources.cells(size).at("count", index))
    if len(samples) != count:
        raise ArtifactError(
            f"{sources.grid.store_path}: expected {count} samples in the cell, found {len(samples)} in the layout; "
            "run the stage grid again"
        )
    return np.sort(samples)


def describe_samples(sources: Sources, samples: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Image and position (y, x in the layer's map) of each sample, in the given order."""
    image, position = (_values(sources.activations, name)[samples] for name in ("image", "position"))
    return [
        {"sample": int(sample), "image": int(image[index]), "position": [int(number) for number in position[index]]}
        for index, sample in enumerate(samples)
    ]


def exemplars_of(sources: Sources, size: int, index: int) -> NDArray[np.int64]:
    """Rows in activations of a cell's exemplars, the nearest to its mean first."""
    found = np.asarray(sources.cells(size).at("exemplar", index))
    return found[found >= 0]


def started_from(icon: Mapping[str, Any], parents: Sequence[Mapping[str, Any]], style: str) -> str:
    """Where an icon's optimization started, by its keys."""
    above = parents[0]["icon"] if parents else None
    if above and icon["key"] and icon["key"] == above["key"]:
        return "no optimization of its own: the parent cell has the same mean activation and the same icon"
    if icon["parent"] is None:
        return "nothing: it could not be drawn" if icon["key"] is None else "noise"
    if style == "accentuated":
        return f"the patch of the nearest exemplar (pixels sha256 {icon['parent']})"
    known = above and icon["parent"] == above["key"]
    return "the parent cell's icon" if known else "an icon that is no longer stored here"


def _key(level: IconLevel, name: str, icon: int) -> str | None:
    found = bytes(np.asarray(level.at(name, icon)))
    return found.hex() if any(found) else None


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _values(group: zarr.Group, name: str) -> NDArray[Any]:
    return np.asarray(array(group, name)[...])
