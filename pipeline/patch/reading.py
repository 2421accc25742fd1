"""What the stage reads from stored artifacts, as arrays."""

import numpy as np
import zarr

from pipeline.core.zarr_store import array, level
from pipeline.patch.candidates import Cells


def read_cells(grid: zarr.Group) -> list[Cells]:
    """The cells of every level of a stored grid, coarsest first."""
    return [_cells(grid, size) for size in sorted(int(name) for name in grid.group_keys())]


def _cells(grid: zarr.Group, size: int) -> Cells:
    at = level(grid, size)
    names = ("cell", "drawn", "attribution", "exemplar")
    return Cells(size, *(np.asarray(array(at, name)[...]) for name in names))
