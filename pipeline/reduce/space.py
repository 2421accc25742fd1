"""The space that neighbours are searched in: activations, of length 1 for cosine, on their principal components."""

import numpy as np
from numpy.typing import NDArray

from pipeline.config.reduce import Metric
from pipeline.core.moments import statistics
from pipeline.reduce.pca import main_axes
from pipeline.reduce.rows import Rows


def prepared(activations: NDArray[np.float32], metric: Metric) -> NDArray[np.float32]:
    """Rows whose squared Euclidean distance orders them as ``metric`` does: of length 1 for cosine.

    Args:
        activations: [n, channel]; for cosine no row is all zero.
        metric: distance between activations.
    """
    if metric == "euclidean":
        return activations
    # dividing by the largest value first keeps the squares of very small and very large rows finite
    scaled = activations / np.abs(activations).max(axis=1, keepdims=True)
    unit: NDArray[np.float32] = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    return unit


def search_space(rows: Rows, metric: Metric, components: int | None) -> NDArray[np.float32]:
    """Rows as points whose squared Euclidean distances are near those of the metric: [n, component], centred.

    Cosine comes first, then the projection: of rows of length 1 the squared distance is 2 (1 - cosine), and that is
    what the largest principal components keep best. Projecting first would change every angle, since the components
    are taken about the mean; making the projections length 1 again would blow up what lies near it.

    Args:
        rows: activations; for cosine none of them all zero.
        metric: distance between activations.
        components: how many principal components are kept; None or as many as channels keep all of the space.
    """
    moments = statistics(prepared(block, metric) for _, block in rows.blocks())
    kept = rows.channels if components is None else min(components, rows.channels)
    axes = main_axes(moments.covariance, kept).astype(np.float32) if kept < rows.channels else None
    mean = moments.mean.astype(np.float32)
    points = np.empty((len(rows), kept), np.float32)
    for start, block in rows.blocks():
        centred = prepared(block, metric) - mean
        points[start : start + len(block)] = centred if axes is None else centred @ axes
    return points
