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
from pipeline.core.cells import nested_levels
from pipeline.core.errors import ArtifactError, ConfigError
from pipeline.core.zarr_store import array, level, open_artifact

Place = tuple[int, int]
NEAR = 3  # occupied cells that are named where the asked one is empty
KEYS = ("key", "parent")  # of an icon, in the icon cache
TOP = 5  # classes told of a cell


@dataclass(frozen=True)
class Sources:
    """The opened artifacts of one layer and atlas."""

    activations: zarr.Group
    layout: zarr.Group
    grid: zarr.Group
    icons: zarr.Group

    @property
    def sizes(self) -> list[int]:
        """Cells a side of every level, coarse to fine."""
        return sorted(int(name) for name in self.grid.group_keys())


def open_sources(outputs: Path, layer: str, atlas: str) -> Sources:
    """Open what a cell is told from.

    Raises:
        ArtifactError: an artifact is missing or from another version.
    """
    kinds = (a.ACTIVATIONS, a.LAYOUT, a.GRID, a.ICONS)
    return Sources(*(open_artifact(kind, kind.path(outputs, layer, atlas)) for kind in kinds))


def find_cell(sources: Sources, size: int, place: Place) -> int:
    """The row of a cell among those of its level.

    Args:
        sources: of the atlas.
        size: cells a side of the level.
        place: (row, column), from 0.

    Raises:
        ConfigError: there is no such level, or the cell is empty.
    """
    if size not in sources.sizes:
        known = ", ".join(map(str, sources.sizes))
        raise ConfigError(f"level: expected one of {known}, found {size}")
    cells = _values(level(sources.grid, size), "cell")
    away = np.abs(cells - np.array(place)).max(axis=1)
    if len(away) and away.min() == 0:
        return int(away.argmin())
    near = "; ".join(f"{row},{column}" for row, column in cells[np.argsort(away, kind="stable")[:NEAR]])
    raise ConfigError(
        f"cell: expected an occupied cell of level {size} as row,column from 0, found none at {place[0]},{place[1]}; "
        f"the nearest are {near}"
    )


def cell_facts(sources: Sources, size: int, row: int, classes: Sequence[str]) -> dict[str, Any]:
    """What the grid knows of a cell; numbers that are not known are None."""
    group = level(sources.grid, size)
    speaks = []
    if "attribution" in group:
        attribution = np.asarray(array(group, "attribution")[row])
        strongest = np.argsort(-attribution, kind="stable")[:TOP]
        speaks = [{"class": int(id_), "name": classes[id_], "logit": float(attribution[id_])} for id_ in strongest]
    return {
        "place": [int(number) for number in array(group, "cell")[row]],
        "row": row,
        "count": int(array(group, "count")[row]),
        "drawn": bool(array(group, "drawn")[row]),
        "spread": _number(array(group, "spread")[row]),
        "reliability": _number(array(group, "reliability")[row]),
        "speaks_for": speaks,
    }


def icon_facts(sources: Sources, size: int, row: int) -> dict[str, Any] | None:
    """The icon of a cell: its measures, the digest of its pixels, its key and its parent's; None where there is none.

    Icons of earlier versions of the project say nothing of keys.
    """
    group = level(sources.icons, size)
    found = np.flatnonzero(_values(group, "cell") == row)
    if not len(found):
        return None
    icon = int(found[0])
    pixels = np.asarray(array(group, "icon")[icon])
    return {
        "row": icon,
        "pixels": pixels.shape[0],
        "sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
        "fidelity": _number(array(group, "fidelity")[icon]),
        "fidelity_centred": _number(array(group, "fidelity_centred")[icon]),
        **({name: _key(group, name, icon) for name in KEYS} if all(name in group for name in KEYS) else {}),
    }


def parent_cells(sources: Sources, size: int, place: Place) -> list[dict[str, Any]]:
    """The cells of the coarser levels that hold this one, the nearest level first, each with its icon's measures."""
    parents = []
    for coarse in reversed([known for known in sources.sizes if known < size and size % known == 0]):
        above = (place[0] * coarse // size, place[1] * coarse // size)
        icon = icon_facts(sources, coarse, find_cell(sources, coarse, above))
        parents.append({"level": coarse, "place": list(above), "icon": icon})
    return parents


def samples_of(sources: Sources, size: int, row: int) -> NDArray[np.int64]:
    """Rows in activations of the samples that lie in a cell.

    Raises:
        ArtifactError: there are not as many as the grid counts.
    """
    levels = {found.size: found for found in nested_levels(_values(sources.layout, "xy"), sources.sizes)}
    samples: NDArray[np.int64] = _values(sources.layout, "sample")[levels[size].of_point == row]
    counted = int(array(level(sources.grid, size), "count")[row])
    if len(samples) != counted:
        raise ArtifactError(
            f"{sources.grid.store_path}: expected {counted} samples in the cell, found {len(samples)} in the layout; "
            "run the stage grid again"
        )
    return np.sort(samples)


def sample_facts(sources: Sources, samples: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Image and position (y, x in the layer's map) of each sample, in the order given."""
    image, position = (_values(sources.activations, name)[samples] for name in ("image", "position"))
    return [
        {"sample": int(sample), "image": int(image[index]), "position": [int(number) for number in position[index]]}
        for index, sample in enumerate(samples)
    ]


def exemplars_of(sources: Sources, size: int, row: int) -> NDArray[np.int64]:
    """Rows in activations of a cell's exemplars, the nearest to its mean first."""
    found = np.asarray(array(level(sources.grid, size), "exemplar")[row])
    return found[found >= 0]


def started_from(icon: Mapping[str, Any], settings: Mapping[str, Any], parents: Sequence[Mapping[str, Any]]) -> str:
    """What an icon was drawn from: by its keys, or else as far as the settings tell."""
    above = parents[0]["icon"] if parents else None
    if "parent" in icon:
        if above and icon["key"] and icon["key"] == above.get("key"):
            return "nothing anew: it is the icon of the cell around it, whose mean activation is the same"
        if icon["key"] is None and icon["parent"] is None:
            return "nothing: it could not be drawn"
        if icon["parent"] is None:
            return "noise"
        known = above and icon["parent"] == above.get("key")
        return "the icon of the cell around it" if known else "an icon that lies here no more"
    if settings.get("warm_steps") is None or not parents or parents[0]["icon"] is None:
        return "noise"
    return "the icon of the cell around it, or noise where that went astray"


def _key(group: zarr.Group, name: str, icon: int) -> str | None:
    found = bytes(np.asarray(array(group, name)[icon]))
    return found.hex() if any(found) else None


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _values(group: zarr.Group, name: str) -> NDArray[Any]:
    return np.asarray(array(group, name)[...])
