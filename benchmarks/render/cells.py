"""The cells that all sides draw: a few dozen, spread evenly over a grid level of the real input."""

from dataclasses import dataclass

import numpy as np
import torch
import zarr
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from benchmarks.real import Run
from pipeline.core import store
from pipeline.core.artifacts import GRID, MODEL
from pipeline.model import saved
from pipeline.model.network import Network
from pipeline.render.fidelity import Measured, measure
from pipeline.render.probe import Probe

LEVEL = 20
PARENT_LEVEL = 10


@dataclass(frozen=True)
class Cells:
    """Some cells of one layer and the network they come from.

    Attributes:
        network: frozen, in float32, on the device.
        device: where all sides run: the GPU if there is one, as torch-lucent will have it.
        layer: dotted module path.
        place: (row, column) at level 20, [cell, 2].
        mean: raw mean activations, [cell, channel].
        parent_place: (row, column) of the parent cells at level 10, [cell, 2].
        parent_mean: raw mean activations of the parent cells, [cell, channel].
        layer_mean: [channel].
    """

    network: Network
    device: torch.device
    layer: str
    place: NDArray[np.int32]
    mean: NDArray[np.float32]
    parent_place: NDArray[np.int32]
    parent_mean: NDArray[np.float32]
    layer_mean: NDArray[np.float32]

    def measured(self, icons: Tensor, size: int) -> Measured:
        """The evaluator of all sides: fidelity in the held-out views of the stage ``render``, in float32.

        Args:
            icons: uint8 [cell, y, x, 3].
            size: side that they are brought to first, pixels: larger by bilinear, smaller by area interpolation.
        """
        if icons.shape[1] != size:
            planes = icons.movedim(-1, 1).float()
            smaller = size < icons.shape[1]
            planes = (
                interpolate(planes, (size, size), mode="area")
                if smaller
                else interpolate(planes, (size, size), mode="bilinear", align_corners=False)
            )
            icons = planes.round().byte().movedim(1, -1)
        exact = Probe(self.network, self.layer, size, "float32")
        means, layer_mean = torch.from_numpy(self.mean), torch.from_numpy(self.layer_mean)
        return measure(exact, icons.to(self.device), means.to(self.device), layer_mean.to(self.device))


def spread_cells(run: Run, layer: str, count: int) -> Cells:
    """``count`` drawn cells of level 20, evenly spaced in the order of the grid, each with its drawn parent."""
    grid = store.open_artifact(GRID, GRID.path(run.outputs, layer, "all"))
    place, mean = _drawn(store.level(grid, LEVEL))
    parent_place, parent_mean = _drawn(store.level(grid, PARENT_LEVEL))
    row_of = {tuple(cell): row for row, cell in enumerate(parent_place.tolist())}
    with_parent = [row for row, cell in enumerate((place // (LEVEL // PARENT_LEVEL)).tolist()) if tuple(cell) in row_of]
    rows = np.asarray(with_parent)[np.linspace(0, len(with_parent) - 1, count).round().astype(int)]
    parents = [row_of[tuple(cell)] for cell in (place[rows] // (LEVEL // PARENT_LEVEL)).tolist()]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Cells(
        saved.load(MODEL.path(run.outputs), device),
        torch.device(device),
        layer,
        place[rows],
        mean[rows],
        parent_place[parents],
        parent_mean[parents],
        np.asarray(store.array(grid, "mean")[:], np.float32),
    )


def _drawn(level: zarr.Group) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    drawn = np.asarray(store.array(level, "drawn")[:])
    return np.asarray(store.array(level, "cell")[:])[drawn], np.asarray(store.array(level, "activation")[:])[drawn]
