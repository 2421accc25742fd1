"""The second image set: its usable images, the layer's activations at sampled places of them, and their placement.

A sample is placed on the nearest activation of the layout; the placement holds the counts of the cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from pipeline.core.cells import CellAssignment
from pipeline.core.errors import ImageError
from pipeline.core.progress import progress
from pipeline.core.site_data import images_by_cell
from pipeline.images.crops import network_crop, relative_positions
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import ManifestImages, list_images
from pipeline.model.inputs import input_batches, to_tensor
from pipeline.model.layers import number_type, require_layer, run_to
from pipeline.model.network import Network
from pipeline.model.positions import activations_at_places
from pipeline.stages import Task

CANDIDATES = 4  # compared exactly, since rounding may order equally near ones either way
ROUNDING = 1e-5  # of squared distances, as a share of the squared length


@dataclass(frozen=True)
class SecondImageSet:
    """A second image set.

    Attributes:
        images: the usable ones.
        labels: names of its classes.
    """

    images: ManifestImages
    labels: tuple[str, ...]


def open_second_image_set(task: Task) -> SecondImageSet:
    """Open the second image set and list its usable images.

    Raises:
        ImageError: none is configured, or none of its images can be used.
    """
    settings, prepare = task.params.place, task.params.prepare
    if settings.images is None:
        raise ImageError("place.images: expected a second image set, found none")
    image_set = open_image_set(settings.images, "place.images")
    unknown = np.full(len(image_set.classes), -1)
    listing = list_images(image_set, unknown, settings.limit, prepare.max_pixels, prepare.min_side, lambda _image: None)
    if not len(listing.manifest):
        raise ImageError(f"place.images: expected usable images, found none of {len(listing.keys)} usable")
    return SecondImageSet(ManifestImages(listing.manifest, image_set, prepare.max_pixels), tuple(image_set.classes))


def record_activations(
    task: Task, network: Network, images: ManifestImages
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The layer's activations [sample, channel] at sampled places, and the row of each sample's image [sample].

    The places are those that the stage ``sample`` would choose in the same images.
    """
    settings = task.params.sample
    shape = require_layer(task.layer, network.layers)
    digests, count = images.manifest.digest, settings.positions_per_image

    def load_input(row: int) -> Tensor:
        return to_tensor(network_crop(images.load(row), network.preprocessing), network.preprocessing)

    found = []
    with (
        torch.no_grad(),
        number_type(settings.device, settings.dtype),
        progress("place", len(images), "image") as bar,
    ):
        for span, inputs in input_batches(load_input, len(images), settings.batch_size):
            places = relative_positions(task.params.seed, digests[span.start : span.stop], count)
            output = run_to(network.module, task.layer, inputs.to(settings.device, memory_format=torch.channels_last))
            found.append(activations_at_places(task.layer, shape, output, places, settings.border)[0])
            bar.update(len(span))
    return np.concatenate(found), np.repeat(images.manifest.image, count)


def nearest_activations(
    new: NDArray[np.float32], known: NDArray[np.float32], metric: Literal["cosine", "euclidean"]
) -> NDArray[np.int64]:
    """The row of ``known`` that is nearest to each new activation [new]; -1 where none is.

    A new activation that is among the known ones finds itself: of equally near ones the one with the smallest sum of
    absolute differences is chosen. Under cosine an all-zero activation has no direction; its nearest is an all-zero
    one, or none.

    Args:
        new: [new, channel].
        known: [known, channel].
        metric: by which the layout was computed.
    """
    found = np.full(len(new), -1)
    queried, indexed = np.arange(len(new)), np.arange(len(known))
    if metric == "cosine":
        zeros = np.flatnonzero(~known.any(axis=1))
        found[~new.any(axis=1)] = zeros[0] if len(zeros) else -1
        queried, indexed = np.flatnonzero(new.any(axis=1)), np.flatnonzero(known.any(axis=1))
    if not len(queried) or not len(indexed):
        return found
    search = NearestNeighbors(n_neighbors=min(CANDIDATES, len(indexed)), algorithm="brute")
    search.fit(_for_euclidean(known[indexed], metric))
    queries = _for_euclidean(new[queried], metric)
    distance, near = search.kneighbors(queries)
    near = indexed[near]
    difference = np.stack(
        [np.abs(new[queried] - known[column]).sum(axis=1, dtype=np.float64) for column in near.T], axis=1
    )
    slack = ROUNDING * (queries.astype(np.float64) ** 2).sum(axis=1, keepdims=True)
    difference[distance**2 > distance[:, :1] ** 2 + slack] = np.inf
    found[queried] = near[np.arange(len(queried)), difference.argmin(axis=1)]
    return found


def _for_euclidean(rows: NDArray[np.float32], metric: str) -> NDArray[np.float32]:
    """Rows whose Euclidean distances have the order of ``metric``: of length 1 for cosine."""
    if metric == "euclidean":
        return rows
    scaled = rows / np.abs(rows).max(axis=1, keepdims=True)  # keeps the squares of very small and large rows finite
    unit: NDArray[np.float32] = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    return unit


@dataclass(frozen=True)
class Placement:
    """The samples of the second image set that were placed on the layout.

    Attributes:
        levels: the atlas's cells, coarse to fine.
        point: [placed] the point of the layout that each sample is placed on.
        image: [placed] row of its image in the second set.
    """

    levels: Sequence[CellAssignment]
    point: NDArray[np.int64]
    image: NDArray[np.int64]

    @property
    def counts(self) -> dict[int, NDArray[np.int64]]:
        """Samples in each cell [cell], by cells a side."""
        return {level.size: np.bincount(level.of_point[self.point], minlength=len(level.cell)) for level in self.levels}

    @property
    def members(self) -> NDArray[np.int64]:
        """[placed] the image of every sample, in the order of the finest cells."""
        return images_by_cell(self.levels[-1].of_point[self.point], np.arange(len(self.point)), self.image)

    @property
    def overlap(self) -> dict[int, float]:
        """How much the set's distribution over cells and the atlas's own overlap, by cells a side.

        It is 1 - their total variation distance, 0..1.
        """
        counts = self.counts
        return {level.size: _overlap(level.count, counts[level.size]) for level in self.levels}


def _overlap(own: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    return float(np.minimum(own / own.sum(), other / max(1, other.sum())).sum())
