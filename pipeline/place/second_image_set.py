"""The second image set: its usable images, and the layer's activations at sampled places of them."""

from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.core.errors import ImageError
from pipeline.core.progress import progress
from pipeline.images.image_set import open_image_set
from pipeline.images.listing import list_images
from pipeline.images.manifest import ManifestImages
from pipeline.images.positions import relative_positions
from pipeline.model.inputs import input_batches, network_crop, to_tensor
from pipeline.model.layers import require_layer, run_to
from pipeline.model.network import Network
from pipeline.model.positions import activations_at_places
from pipeline.stages import Task


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
    image_set = open_image_set(settings.images)
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
    number_type = torch.autocast(settings.device.partition(":")[0], torch.bfloat16)
    digests, count = images.manifest.digest, settings.positions_per_image

    def load_input(row: int) -> Tensor:
        return to_tensor(network_crop(images.load(row), network.preprocessing), network.preprocessing)

    found = []
    with (
        torch.no_grad(),
        number_type if settings.dtype == "bfloat16" else nullcontext(),
        progress("place", len(images), "image") as bar,
    ):
        for span, inputs in input_batches(load_input, len(images), settings.batch_size):
            places = relative_positions(task.params.seed, digests[span.start : span.stop], count)
            output = run_to(network.module, task.layer, inputs.to(settings.device, memory_format=torch.channels_last))
            found.append(activations_at_places(task.layer, shape, output, places, settings.border)[0])
            bar.update(len(span))
    return np.concatenate(found), np.repeat(images.manifest.image, count)
