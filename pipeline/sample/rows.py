"""Which image and which position each row of a layer's arrays belongs to: known without the network."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.images.positions import relative_positions
from pipeline.model.layers import LayerShape
from pipeline.model.positions import map_positions

IMAGES_TOGETHER = 4096


def image_rows(images: int, each: int) -> NDArray[np.int64]:
    """[row] the image of each row."""
    return np.repeat(np.arange(images, dtype=np.int64), each)


def position_rows(shape: LayerShape, seed: int, digests: Sequence[str], each: int, border: int) -> NDArray[np.int32]:
    """[row, 2] the position (y, x) of each row in the layer's map.

    Args:
        shape: of the layer.
        seed: of the run.
        digests: of the images.
        each: rows of an image.
        border: positions left out at each side of the map.
    """
    found = np.empty((len(digests) * each, 2), np.int32)
    for start in range(0, len(digests), IMAGES_TOGETHER):
        places = relative_positions(seed, digests[start : start + IMAGES_TOGETHER], each)
        positions = map_positions(places, shape.height, shape.width, border).reshape(-1, 2)
        found[start * each : start * each + len(positions)] = positions
    return found
