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


def columns(
    passes: Passes, placed: Placed, image: NDArray[np.int64], settings: GridSettings
) -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
    """Cells a side, and arrays by name, of each level from coarse to fine.

    Args:
        passes: both have been run.
        placed: the samples.
        image: [sample] the image it comes from.
        settings: of the stage.
    """
    sample = np.flatnonzero(placed.label < placed.outside)
    finest = placed.label[sample]
    start = 0
    means, reliability = passes.part("means"), passes.part("reliability")
    attribution = passes.part("attribution") if passes.has_attribution else np.zeros((len(means), 0), np.float32)
    for index, (level, count) in enumerate(zip(placed.levels, placed.counts, strict=True)):
        own = slice(start, start + len(level.cell))
        start = own.stop
        cosines, cell = passes.cosines(index)[sample], level.of_point[finest]
        yield (
            level.size,
            {
                "cell": level.cell,
                "count": count,
                "drawn": count >= settings.min_count,
                "activation": means[own],
                "attribution": attribution[own],
                "spread": spread(cosines, cell, count),
                "reliability": reliability[own],
                "exemplar": exemplars(cosines, cell, sample, image[sample], len(count), settings.exemplars),
            },
        )
