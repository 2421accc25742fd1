"""The layout of the distinct rows => places of all rows in the unit square."""

import numpy as np
from numpy.typing import NDArray

from pipeline.config.reduce import ReduceSettings
from pipeline.reduce.align import turned
from pipeline.reduce.compare import spread_along, upright
from pipeline.reduce.distinct import Distinct
from pipeline.reduce.even import spread_evenly
from pipeline.reduce.normalize import to_unit_square


def framed(
    points: NDArray[np.float64], distinct: Distinct, reference: NDArray[np.float64], settings: ReduceSettings
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Turn the layout of the distinct rows, fit it into 0..1 and spread it, for every row.

    Args:
        points: layout of the distinct rows, [distinct, 2], or [distinct, 1] for a line.
        distinct: which rows are the same.
        reference: [row, 2] places that the layout is turned to.
        settings: of the stage.

    Returns:
        Places [row, 2] or [row, 1] in 0..1, and which rows lay outside the frame before they were moved to its edge.
    """
    flat = points.shape[1] == 1
    agreeing = (
        upright(points[distinct.inverse], reference[:, 0]) if flat else turned(points[distinct.inverse], reference)
    )
    square, outside = to_unit_square(agreeing, settings.percentile, settings.margin)
    # equal rows move as one: spread one by one, they would come apart
    spread = spread_along if flat else spread_evenly
    return spread(square[distinct.first], settings.evenness)[distinct.inverse].astype(np.float32), outside
