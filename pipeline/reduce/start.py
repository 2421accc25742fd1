"""Where layouts start: the plane of the largest variance in the search space."""

import numpy as np
from numpy.typing import NDArray

from pipeline.reduce import pca
from pipeline.reduce.rows import Rows


def principal_start(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """Points [n, component] in their principal plane, [n, 2]."""
    return pca.layout(Rows(points))
