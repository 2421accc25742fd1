"""The samples of an atlas as points: an even choice of them, with what is known of their images."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.site_data import pack_array

SHOWN = 20_000  # points of a layer at most
FILE = "samples"


def choose_evenly(points: int, seed: int, shown: int = SHOWN) -> NDArray[np.int64]:
    """Indices of at most ``shown`` points, in random order.

    One point is drawn from each of as many equal parts of the list, so that images, which follow each other in it, are
    represented evenly. The order is random, so that of points that overlap no image, and so no label, is always on top.

    Args:
        points: number of all points.
        seed: of the run.
        shown: points chosen; all where there are no more.
    """
    random = np.random.default_rng([seed, points])
    count = min(points, shown)
    edges = np.arange(count + 1) * points // max(count, 1)
    chosen = random.integers(edges[:-1], edges[1:])
    return random.permutation(chosen)


def samples_content(
    xy: NDArray[np.float32],
    sample: NDArray[np.int64],
    seed: int,
    image: NDArray[np.int64],
    label: NDArray[np.int64] | None,
    prediction: NDArray[np.int32] | None,
    position: NDArray[np.int32] | None,
) -> dict[str, Any]:
    """The chosen samples of an atlas, and the number of all.

    Args:
        xy: [point, 2] the layout.
        sample: [point] rows in activations.
        seed: of the run.
        image: [sample] row of each sample's image.
        label: [image] the network's class, -1 where it is not known; None where no image has one.
        prediction: [sample] class that the network predicts; None where it was not recorded.
        position: [sample, 2] (y, x) in the layer's map, for the site's images; None where it shows none.
    """
    chosen = choose_evenly(len(sample), seed)
    row = sample[chosen]
    content: dict[str, Any] = {"all": len(sample), "xy": pack_array(xy[chosen])}
    if label is not None:
        content["label"] = pack_array(label[image[row]])
    if prediction is not None:
        content["prediction"] = pack_array(prediction[row])
    if position is not None:
        content |= {"image": pack_array(image[row]), "position": pack_array(position[row])}
    return content
