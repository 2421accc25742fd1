"""Cells of a layer that icons are rendered for, and the evaluator of all sides."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from benchmarks.real import Run
from pipeline.core import zarr_store
from pipeline.core.artifacts import GRID, MODEL
from pipeline.featurevis.renderer import Measured
from pipeline.model.network import Network, load_network
from pipeline.render.fidelity import FidelityMeasure

LEVEL = 20
PARENT_LEVEL = 10
BLOCK = 64  # icons measured at once, to bound memory


@dataclass(frozen=True)
class Cells:
    """Some cells of one level of one layer, and the network they come from.

    Attributes:
        run: that they are from.
        network: frozen, in float32, on the device.
        device: where all sides run: the GPU if there is one, which torch-lucent uses wherever there is one.
        layer: dotted module path.
        level: cells a side.
        place: (row, column), [cell, 2].
        mean: raw mean activations, [cell, channel].
        exemplars: rows in the activations of the samples nearest to the mean, [cell, rank]; -1 for none.
        reliability: [cell].
        layer_mean: [channel].
    """

    run: Run
    network: Network
    device: torch.device
    layer: str
    level: int
    place: NDArray[np.int32]
    mean: NDArray[np.float32]
    exemplars: NDArray[np.int64]
    reliability: NDArray[np.float32]
    layer_mean: NDArray[np.float32]

    def chosen(self, rows: NDArray[np.intp]) -> "Cells":
        """Only these cells."""
        return replace(
            self,
            place=self.place[rows],
            mean=self.mean[rows],
            exemplars=self.exemplars[rows],
            reliability=self.reliability[rows],
        )

    def measured(self, icons: Tensor, size: int) -> Measured:
        """The evaluator of all sides: fidelity under the held-out transforms of the stage ``render``, in float32.

        Args:
            icons: uint8 [cell, y, x, 3].
            size: side that they are resized to first, pixels: larger by bilinear, smaller by area interpolation.
        """
        icons = _resized(icons, size)
        layer_mean = torch.from_numpy(self.layer_mean).to(self.device)
        measure = FidelityMeasure(self.network, self.layer, (size, size), layer_mean)
        found = []
        for first in range(0, len(icons), BLOCK):
            means = torch.from_numpy(self.mean[first : first + BLOCK]).to(self.device)
            found.append(measure(icons[first : first + BLOCK].to(self.device), means))
        return Measured(
            {name: np.concatenate([one.scores[name] for one in found]) for name in found[0].scores},
            np.concatenate([one.activation for one in found]),
        )


def level_cells(run: Run, layer: str, level: int) -> Cells:
    """All drawn cells of a level."""
    grid = zarr_store.open_artifact(GRID, GRID.path(run.outputs, layer, "all"))
    stored = zarr_store.level(grid, level)
    drawn = np.asarray(zarr_store.array(stored, "drawn")[:])
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Cells(
        run=run,
        network=load_network(MODEL.path(run.outputs), device),
        device=torch.device(device),
        layer=layer,
        level=level,
        place=np.asarray(zarr_store.array(stored, "cell")[:])[drawn],
        mean=np.asarray(zarr_store.array(stored, "activation")[:])[drawn],
        exemplars=np.asarray(zarr_store.array(stored, "exemplar")[:])[drawn],
        reliability=np.asarray(zarr_store.array(stored, "reliability")[:])[drawn],
        layer_mean=np.asarray(zarr_store.array(grid, "mean")[:], np.float32),
    )


def spread_cells(run: Run, layer: str, count: int, level: int = LEVEL) -> Cells:
    """``count`` drawn cells of a level, evenly spaced in the order of the grid."""
    cells = level_cells(run, layer, level)
    return cells.chosen(np.linspace(0, len(cells.mean) - 1, count).round().astype(np.intp))


def parents_of(cells: Cells, coarse: Cells) -> NDArray[np.intp]:
    """Rows in ``coarse`` of the cells' parents, [cell]; a drawn cell's parent has more samples and is drawn too."""
    row_of = {tuple(place): row for row, place in enumerate(coarse.place.tolist())}
    places = cells.place // (cells.level // coarse.level)
    return np.array([row_of[tuple(place)] for place in places.tolist()], np.intp)


def first_cells(cells: Cells, limit: int, coarse: Cells | None) -> Cells:
    """At most ``limit`` cells, the first whose parent is among those of ``coarse``."""
    if len(cells.mean) <= limit:
        return cells
    known = None if coarse is None else {tuple(place) for place in coarse.place.tolist()}
    step = 1 if coarse is None else cells.level // coarse.level
    places = (cells.place // step).tolist()
    rows = [row for row, place in enumerate(places) if known is None or tuple(place) in known]
    return cells.chosen(np.array(rows[:limit], np.intp))


def _resized(icons: Tensor, size: int) -> Tensor:
    if icons.shape[1] == size:
        return icons
    planes = icons.movedim(-1, 1).float()
    larger = {"mode": "bilinear", "align_corners": False}
    planes = interpolate(planes, (size, size), **({"mode": "area"} if size < icons.shape[1] else larger))
    return planes.round().byte().movedim(1, -1)
