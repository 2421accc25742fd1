"""Readers of one level of a stored grid and of its icons.

Both name the arrays of :mod:`pipeline.core.artifacts` with their types and read each one when it is first used, so
that a caller loads only the arrays that it needs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from pipeline.core.zarr_store import array, level


@dataclass(frozen=True, eq=False)
class GridLevel:
    """The occupied cells of one grid level, in reading order.

    Arrays are read when first used and kept, except for ``activation``.

    Attributes:
        size: cells per side of the whole grid.
        group: the level in the stored grid.

    Raises:
        ArtifactError: from any of the arrays, where it is missing or damaged.
    """

    size: int
    group: zarr.Group

    def __len__(self) -> int:
        return len(self.cell)

    @cached_property
    def cell(self) -> NDArray[np.int32]:
        """[cell, 2] (row, column)."""
        return self._read("cell")

    @cached_property
    def count(self) -> NDArray[np.int64]:
        """[cell] number of samples."""
        return self._read("count")

    @cached_property
    def drawn(self) -> NDArray[np.bool_]:
        """[cell] whether the cell has enough samples for an icon."""
        return self._read("drawn")

    @property
    def activation(self) -> NDArray[np.float32]:
        """[cell, channel] mean activation; read at every use, because it is the largest array and is used once."""
        return self._read("activation")

    @property
    def has_attribution(self) -> bool:
        """Whether attributions were recorded; the stage ``grid`` stores an array without classes where none were."""
        return "attribution" in self.group and array(self.group, "attribution").shape[1] > 0

    @cached_property
    def attribution(self) -> NDArray[np.float32]:
        """[cell, class] mean attribution, logit; no classes where attributions were not recorded."""
        if not self.has_attribution:
            return np.zeros((len(self.count), 0), np.float32)
        return self._read("attribution")

    @cached_property
    def spread(self) -> NDArray[np.float32]:
        """[cell] mean of 1 - centered cosine(sample, cell mean), 0..2."""
        return self._read("spread")

    @cached_property
    def reliability(self) -> NDArray[np.float32]:
        """[cell] centered cosine of the means of two image-disjoint halves, -1..1; NaN where one half is empty."""
        return self._read("reliability")

    @cached_property
    def exemplar(self) -> NDArray[np.int64]:
        """[cell, rank] rows in activations, nearest to the cell's mean first; -1 for none."""
        return self._read("exemplar")

    @property
    def drawn_cells(self) -> NDArray[np.int64]:
        """[icon] indices of the drawn cells, in the order of the level's icons."""
        return np.flatnonzero(self.drawn)

    @property
    def flat_index(self) -> NDArray[np.int64]:
        """[cell] row · size + column."""
        index: NDArray[np.int64] = self.cell.astype(np.int64) @ np.array([self.size, 1])
        return index

    def at(self, name: str, index: int) -> Any:
        """One cell's entry of the array ``name``, without reading the others."""
        return array(self.group, name)[index]

    def _read(self, name: str) -> NDArray[Any]:
        return np.asarray(array(self.group, name)[...])


@dataclass(frozen=True, eq=False)
class IconLevel:
    """The icons of one grid level.

    Attributes:
        size: cells per side of the whole grid.
        group: the level in the stored icons.
    """

    size: int
    group: zarr.Group

    @cached_property
    def cell(self) -> NDArray[np.int64]:
        """[icon] index of its cell among those of the grid level."""
        return self._read("cell")

    @cached_property
    def fidelity(self) -> NDArray[np.float32]:
        """[icon] mean cosine to the cell's mean activation, -1..1; not finite where the icon could not be drawn."""
        return self._read("fidelity")

    @cached_property
    def fidelity_centred(self) -> NDArray[np.float32]:
        """[icon] the same after subtracting the layer's mean activation from both."""
        return self._read("fidelity_centred")

    @cached_property
    def legibility(self) -> NDArray[np.float32] | None:
        """[icon] share of the other cells that look less like it to the judge, 0..1; None without a judge."""
        return self._read("legibility") if "legibility" in self.group else None

    @property
    def recognized(self) -> float | None:
        """Share of the icons that the judge assigns to their own cell, 0..1; None where no icon was judged."""
        found: Any = self.group.attrs.get("recognized")
        return None if found is None else float(found)

    @cached_property
    def key(self) -> NDArray[np.uint8]:
        """[icon, 32] its key in the icon cache; zeros where the icon could not be drawn."""
        return self._read("key")

    @cached_property
    def parent(self) -> NDArray[np.uint8]:
        """[icon, 32] key of the icon, or SHA-256 of the patch, that it was started from; zeros for noise."""
        return self._read("parent")

    @property
    def icon(self) -> zarr.Array[Any]:
        """[icon, y, x, 3] sRGB, uint8, as a stored array to read from."""
        return array(self.group, "icon")

    @property
    def has_large(self) -> bool:
        """Whether the level has large icons."""
        return "large" in self.group

    @property
    def large(self) -> zarr.Array[Any]:
        """[icon, y, x, 3] sRGB, uint8, as a stored array to read from; only where the level has large icons."""
        return array(self.group, "large")

    @cached_property
    def large_fidelity_centred(self) -> NDArray[np.float32] | None:
        """[icon] that of the large icons, not finite where one could not be rendered; None without large icons."""
        return self._read("large_fidelity_centred") if self.has_large else None

    def at(self, name: str, index: int) -> Any:
        """One icon's entry of the array ``name``, without reading the others."""
        return array(self.group, name)[index]

    def by_cell(self, values: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
        """Values [icon] as [cell], NaN for cells without an icon; ``cells`` is the number of cells of the level."""
        found = np.full(cells, np.nan, np.float32)
        found[self.cell] = values
        return found

    def _read(self, name: str) -> NDArray[Any]:
        return np.asarray(array(self.group, name)[...])


def level_sizes(artifact: zarr.Group) -> list[int]:
    """Cells per side of every level of a stored grid, or of stored icons of one style, coarse to fine."""
    return sorted(int(name) for name in artifact.group_keys() if name.isdecimal())


def grid_level(grid: zarr.Group, size: int) -> GridLevel:
    """The level of ``size`` cells per side of a stored grid.

    Raises:
        ArtifactError: there is no such level.
    """
    return GridLevel(size, level(grid, size))


def grid_levels(grid: zarr.Group, sizes: Sequence[int] | None = None) -> list[GridLevel]:
    """The levels of these sizes, by default all of them, coarse to fine."""
    return [grid_level(grid, size) for size in (level_sizes(grid) if sizes is None else sizes)]


def icon_level(icons: zarr.Group, size: int) -> IconLevel:
    """The level of ``size`` cells per side of stored icons; of their first style, where no group of a style is given.

    Raises:
        ArtifactError: there is no such level.
    """
    return IconLevel(size, level(icons, size))
