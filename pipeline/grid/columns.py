"""The arrays of each grid level, as the artifact holds them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.grid.config import GridSettings
from pipeline.grid.exemplars import exemplars
from pipeline.grid.passes import Passes
from pipeline.grid.placed import Placed
from pipeline.grid.second_pass import spread


def means(passes: Passes, placed: Placed) -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
    """Cells a side, and the mean activations and attributions, of each level from coarse to fine.

    Args:
        passes: both have been run.
        placed: the samples.
    """
    activation = passes.part("means")
    attribution = passes.part("attribution") if passes.has_attribution else np.zeros((len(activation), 0), np.float32)
    for level, own in zip(placed.levels, placed.own, strict=True):
        yield level.size, {"activation": activation[own], "attribution": attribution[own]}


def columns(
    passes: Passes, placed: Placed, image: NDArray[np.int64], settings: GridSettings
) -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
    """Cells a side, and all else by name, of each level from coarse to fine.

    Args:
        passes: both have been run.
        placed: the samples.
        image: [sample] the image it comes from.
        settings: of the stage.
    """
    sample = np.flatnonzero(placed.label < placed.outside)
    finest, reliability = placed.label[sample], passes.part("reliability")
    for index, (level, count, own) in enumerate(zip(placed.levels, placed.counts, placed.own, strict=True)):
        cosines, cell = passes.cosines(index)[sample], level.of_point[finest]
        yield (
            level.size,
            {
                "cell": level.cell,
                "count": count,
                "drawn": count >= settings.min_count,
                "spread": spread(cosines, cell, count),
                "reliability": reliability[own],
                "exemplar": exemplars(cosines, cell, sample, image[sample], len(count), settings.exemplars),
            },
        )
