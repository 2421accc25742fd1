"""Our whole step beside the bare network's: a forward pass up to the layer and the gradient back to the pixels."""

from copy import deepcopy
from functools import partial

import torch
from torch import nn

from benchmarks.harness.rows import Row, row
from benchmarks.harness.timing import Side, interleaved
from benchmarks.render.cells import Cells
from benchmarks.render.ours import DType, Ours, Recipe
from pipeline.config.render import RenderSettings
from pipeline.model.layers import get_layer

# times the bare network's step: towards the direction alone, and with the feature statistics of the default settings
GOALS = {"the direction alone": 1.2, "with feature statistics": 1.3}


class BareNetwork:
    """The network cut after one layer, channels last, with frozen weights."""

    def __init__(self, cells: Cells, size: int, dtype: DType) -> None:
        """Cut the network and make a batch of random pixels.

        Args:
            cells: as many images as these.
            size: side of the images, pixels.
            dtype: of weights and pixels.
        """
        self._number = {"float32": torch.float32, "bfloat16": torch.bfloat16}[dtype]
        parent, _, index = cells.layer.rpartition(".")
        parts = list(get_layer(cells.network.module, parent).children())[: int(index) + 1]
        self._module = deepcopy(nn.Sequential(*parts)).to(self._number).to(memory_format=torch.channels_last)
        pixels = torch.randn(len(cells.mean), 3, size, size, generator=torch.Generator().manual_seed(0))
        self._pixels = pixels.to(cells.device, self._number, memory_format=torch.channels_last).requires_grad_(True)

    def steps(self, count: int) -> None:
        """Take the gradient ``count`` times."""
        for _ in range(count):
            grid = self._module(self._pixels)
            center = grid[:, :, grid.shape[2] // 2, grid.shape[3] // 2]
            (found,) = torch.autograd.grad(center.sum(), self._pixels)
        found[0, 0, 0, 0].item()  # a GPU works ahead; wait for it


def step_rows(cells: Cells, configured: RenderSettings, size: int, steps: int, rounds: int) -> list[Row]:
    """Our step against the bare network's in both number types.

    Args:
        cells: rendered in one batch.
        configured: our settings of the stage.
        size: side of the icons, pixels.
        steps: in one call of either side.
        rounds: timed rounds.
    """
    rows = []
    alone, default = GOALS
    for dtype in ("float32", "bfloat16"):
        recipe, bare = Recipe(size, steps, dtype), BareNetwork(cells, size, dtype)
        sides = {
            alone: Side(Ours(cells, configured.model_copy(update={"statistics": 0.0}), recipe).render, steps),
            default: Side(Ours(cells, configured, recipe).render, steps),
            "bare": Side(partial(bare.steps, steps), steps),
        }
        for side in sides.values():
            side.run()  # first passes set up what later ones reuse
        timed = interleaved(sides, rounds)
        where = f"{cells.layer}, {size} px, {dtype}, batch {len(cells.mean)}"
        rows += [
            row(f"{where}: a step of the bare network", 1000 * timed.median("bare"), "ms"),
            *(
                row(
                    f"{where}: our whole step, {name} : the bare network's",
                    timed.ratio(name, "bare"),
                    "x",
                    at_most=goal,
                )
                for name, goal in GOALS.items()
            ),
        ]
    return rows
