"""Stage ``place``: a second image set's samples on an existing layout => how many fall into each cell."""

from contextlib import nullcontext
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.core import artifacts as a
from pipeline.core import store
from pipeline.core.cells import nested_levels
from pipeline.core.errors import ImageError
from pipeline.core.pack import packed, part
from pipeline.core.progress import progress, say
from pipeline.core.whole import whole
from pipeline.images.listing import list_images
from pipeline.images.manifest import Manifest, ManifestImages
from pipeline.images.open_set import open_image_set
from pipeline.images.places import relative_places
from pipeline.model import saved
from pipeline.model.batches import batches
from pipeline.model.layers import known_layer, run_to
from pipeline.model.positions import sampled
from pipeline.model.preprocessing import network_crop, to_tensor
from pipeline.place.nearest import nearest
from pipeline.stages import Task

QUERIES = 4096  # samples placed together


def run(task: Task) -> None:
    """Count the second image set's samples in every cell of the atlas of all samples; the layout stays as it is.

    Each sample is put where the activation most like it lies, at the same places of the images as the atlas's own.

    Raises:
        ImageError: no image can be used.
    """
    manifest, images = _images(task)
    near = _nearest_points(task, _sampled(task, manifest, images))
    layout = store.open_artifact(a.LAYOUT, task.path(a.LAYOUT))
    sizes = task.params.grid.for_atlas("all")
    levels = nested_levels(np.asarray(store.array(layout, "xy")[:]), sizes)
    counts = {level.size: np.bincount(level.of_point[near[near >= 0]], minlength=len(level.cell)) for level in levels}
    content = {
        "title": task.params.place.title,
        "images": len(images),
        "samples": int((near >= 0).sum()),
        "levels": {f"{size}": {"count": packed(count)} for size, count in counts.items()},
    }
    with whole(task.path(a.PLACE)) as folder:
        folder.mkdir()
        (folder / "place.js").write_text(part(f"place/{task.layer}", content), encoding="ascii")
    shared = {f"{level.size}": _shared(level.count, counts[level.size]) for level in levels}
    metrics = {"images": len(images), "samples": len(near), "unplaced": int((near < 0).sum()), "shared": shared}
    task.write_metrics(metrics)
    told = ", ".join(f"{share:.0%} at level {size}" for size, share in shared.items())
    say(f"place {task.layer}: {content['samples']} samples of {len(images)} images; as the atlas's own by {told}")


def _nearest_points(task: Task, new: NDArray[np.float32]) -> NDArray[np.int64]:
    """The point of the layout that each new activation [new, channel] is most like, -1 where there is none."""
    activations = store.open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS))
    layout = store.open_artifact(a.LAYOUT, task.path(a.LAYOUT))
    sample = np.asarray(store.array(layout, "sample")[:])
    known = store.read_rows(store.array(activations, "activation"), sample)
    steps = pairwise([*range(0, len(new), QUERIES), len(new)])
    return np.concatenate([nearest(new[start:stop], known, task.params.reduce.metric) for start, stop in steps])


def _images(task: Task) -> tuple[Manifest, ManifestImages]:
    settings = task.params.place
    if settings.images is None:
        raise ImageError("place.images: expected a second image set, found none")
    image_set = open_image_set(settings.images)
    unknown = np.full(len(image_set.classes), -1)
    prepare = task.params.prepare
    listing = list_images(image_set, unknown, settings.limit, prepare.max_pixels, prepare.min_side, lambda _image: None)
    if not len(listing.manifest):
        raise ImageError(f"place.images: expected usable images, found none of {len(listing.keys)} usable")
    return listing.manifest, ManifestImages(listing.manifest, image_set, prepare.max_pixels)


def _sampled(task: Task, manifest: Manifest, images: ManifestImages) -> NDArray[np.float32]:
    """The layer's activations [sample, channel] at sampled places of the images."""
    settings = task.params.sample
    network = saved.load(task.path(a.MODEL), settings.device)
    shape = known_layer(task.layer, network.layers)

    def load_input(row: int) -> Tensor:
        return to_tensor(network_crop(images.load(row), network.preprocessing), network.preprocessing)

    number_type = torch.autocast(settings.device.partition(":")[0], torch.bfloat16)
    found = []
    with (
        torch.no_grad(),
        number_type if settings.dtype == "bfloat16" else nullcontext(),
        progress("place", len(images), "image") as bar,
    ):
        for span, inputs in batches(load_input, len(images), settings.batch_size):
            digests = manifest.digest[span.start : span.stop]
            places = relative_places(task.params.seed, digests, settings.positions_per_image)
            batch = inputs.to(settings.device, memory_format=torch.channels_last)
            output = run_to(network.module, task.layer, batch)
            found.append(sampled(task.layer, shape, output, places, settings.border)[0])
            bar.update(len(span))
    return np.concatenate(found)


def _shared(own: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """How much two distributions over cells have in common: 1 - their total variation distance, 0..1."""
    return float(np.minimum(own / own.sum(), other / max(1, other.sum())).sum())
