"""Cells of the atlas: their directions, which are optimized for, and choices among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.core.atlas_icons import AtlasIcons, read_atlas_icons
from pipeline.core.errors import ArtifactError, ConfigError

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Cell:
    """A drawn cell of a layer's atlas of all samples.

    Attributes:
        layer: dotted module path.
        level: cells a side.
        row, column: from 0, from the top left.
        activation: mean of its samples, [channel].
        layer_mean: of the whole layer, [channel].
        icon: uint8 [y, x, 3].
    """

    layer: str
    level: int
    row: int
    column: int
    activation: Floats
    layer_mean: Floats
    icon: NDArray[np.uint8]

    @property
    def address(self) -> str:
        """As settings name it: ``level/row/column``."""
        return f"{self.level}/{self.row}/{self.column}"

    @property
    def place(self) -> tuple[str, int, int, int]:
        """As :attr:`pipeline.synthesize.sheet.Picture.cell` has it."""
        return (self.layer, self.level, self.row, self.column)

    @property
    def direction(self) -> Floats:
        """Activation minus the layer's mean, [channel]."""
        return self.activation - self.layer_mean


def atlas_level(outputs: Path, layer: str, level: int | None = None) -> AtlasIcons:
    """One level of a layer's atlas of all samples.

    Args:
        outputs: folder of the run's artifacts.
        layer: dotted module path.
        level: cells a side; None for the one that is nearest to 20.

    Raises:
        ArtifactError: the atlas is missing or damaged, or has no icon.
    """
    found = read_atlas_icons(outputs, layer, level)
    if found is None:
        raise ArtifactError(f"{layer}: expected an atlas with icons, found none; run the stage render again")
    return found


def cell_at(atlas: AtlasIcons, number: int) -> Cell:
    """A cell of a level.

    Args:
        atlas: the level.
        number: of the cell among those that are drawn.
    """
    row, column = (int(one) for one in atlas.cell[number])
    return Cell(
        atlas.layer, atlas.level, row, column, atlas.activation[number], atlas.mean, np.asarray(atlas.icons[number])
    )


def named_cells(outputs: Path, layer: str, addresses: Sequence[str], setting: str) -> list[Cell]:
    """Cells by their addresses.

    Args:
        outputs: folder of the run's artifacts.
        layer: dotted module path.
        addresses: ``level/row/column`` of each.
        setting: that names them, for the error line.

    Raises:
        ConfigError: there is no such drawn cell.
        ArtifactError: the atlas is missing or damaged.
    """
    levels: dict[int, AtlasIcons | None] = {}
    found = []
    for address in addresses:
        level, row, column = (int(one) for one in address.split("/"))
        if level not in levels:
            levels[level] = _level(outputs, layer, level)
        atlas = levels[level]
        numbers = [] if atlas is None else np.flatnonzero((atlas.cell == (row, column)).all(axis=1)).tolist()
        if atlas is None or not numbers:
            raise ConfigError(
                f"{setting}: expected a drawn cell of {layer}, level/row/column counted from 0, found {address}; the "
                "page gives the address of a pinned cell"
            )
        found.append(cell_at(atlas, numbers[0]))
    return found


def _level(outputs: Path, layer: str, level: int) -> AtlasIcons | None:
    try:
        return read_atlas_icons(outputs, layer, level)
    except ArtifactError:
        read_atlas_icons(outputs, layer)  # raises where the atlas itself is missing
        return None


def unlike_cells(atlas: AtlasIcons, count: int) -> list[Cell]:
    """Cells that differ much: the one of most samples, then always the one least like those that were chosen.

    Args:
        atlas: the level.
        count: how many, or fewer where there are no more.
    """
    directions = atlas.activation - atlas.mean
    unit = directions / np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    chosen = [int(atlas.count.argmax())]
    nearest = unit @ unit[chosen[0]]
    while len(chosen) < min(count, len(unit)):
        chosen.append(int(np.where(np.isin(np.arange(len(unit)), chosen), np.inf, nearest).argmin()))
        nearest = np.maximum(nearest, unit @ unit[chosen[-1]])
    return [cell_at(atlas, number) for number in chosen]
