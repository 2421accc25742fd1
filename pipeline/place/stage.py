"""Entry of the stage ``place``: a second image set and a layout in; counts and images of every cell out.

It writes one folder for each layer, in the format of the site's own data: ``place.js`` with the counts, the images in
the order of the finest cells in ``members-<block>.js``, and their names and pictures below ``images/``.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core import artifacts as a
from pipeline.core import zarr_store
from pipeline.core.cells import assign_cells
from pipeline.core.files import atomic
from pipeline.core.progress import counted, log_line, tracked
from pipeline.core.site_data import MEMBERS_PER_BLOCK, data_script, member_blocks, pack_array
from pipeline.images.crops import network_crop
from pipeline.images.manifest import spread_evenly
from pipeline.images.thumbnails import IMAGES_PER_FOLDER, encode_thumbnail, image_lists, thumbnail_path
from pipeline.model.network import Network, load_network
from pipeline.place.placement import (
    Placement,
    SecondImageSet,
    nearest_activations,
    open_second_image_set,
    record_activations,
)
from pipeline.stages import Task

QUERIES = 4096  # samples placed at a time
LONGEST_SIDE = 192  # of a picture, pixels


def run(task: Task) -> None:
    """Place the second image set's samples on the atlas of all samples; the layout does not change.

    Each sample is placed on the point of the nearest activation of the atlas; places in the images are sampled in the
    same way.

    Raises:
        ImageError: no image can be used.
    """
    second = open_second_image_set(task)
    network = load_network(task.path(a.MODEL), task.params.sample.device)
    activation, image = record_activations(task, network, second.images)
    near = _nearest_points(task, activation)
    layout = zarr_store.open_artifact(a.LAYOUT, task.path(a.LAYOUT))
    levels = assign_cells(np.asarray(zarr_store.array(layout, "xy")[:]), task.params.grid.for_atlas("all"))
    placement = Placement(levels, near[near >= 0], image[near >= 0])
    pictures = spread_evenly(range(len(second.images)), task.params.place.pictures)
    with atomic(task.path(a.PLACE)) as folder:
        _write_pictures(folder, second, network, pictures)
        for name, content in _data_files(task, second, placement, network, pictures):
            (folder / f"{name}.js").write_text(data_script(f"place/{task.layer}/{name}", content), encoding="ascii")
    _report(task, second, placement, len(near), len(pictures))


def _nearest_points(task: Task, new: NDArray[np.float32]) -> NDArray[np.int64]:
    """The point of the activation nearest to each new one [new, channel]; -1 where there is none."""
    activations = zarr_store.open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS))
    layout = zarr_store.open_artifact(a.LAYOUT, task.path(a.LAYOUT))
    rows = np.asarray(zarr_store.array(layout, "sample")[:])
    known = zarr_store.read_rows(zarr_store.array(activations, "activation"), rows)
    steps = pairwise([*range(0, len(new), QUERIES), len(new)])
    return np.concatenate(
        [nearest_activations(new[start:stop], known, task.params.reduce.metric) for start, stop in steps]
    )


def _data_files(
    task: Task, second: SecondImageSet, placement: Placement, network: Network, pictures: Sequence[int]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Name and content of every data file."""
    images = second.images.manifest
    yield (
        "place",
        {
            "title": task.params.place.title,
            "images": len(images),
            "samples": len(placement.point),
            "members_per_block": MEMBERS_PER_BLOCK,
            "images_per_folder": IMAGES_PER_FOLDER,
            "levels": {f"{size}": {"count": pack_array(count)} for size, count in placement.counts.items()},
        },
    )
    yield from member_blocks(placement.members)
    for number, about in image_lists(images, second.labels, network.classes, set(pictures)):
        yield f"images/{number}", about


def _write_pictures(folder: Path, second: SecondImageSet, network: Network, pictures: Sequence[int]) -> None:
    """Store these images, cropped as for the network."""
    (folder / "images").mkdir(parents=True)
    for row in tracked(pictures, "pictures", len(pictures), "image"):
        path = folder / "images" / thumbnail_path(row)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encode_thumbnail(network_crop(second.images.load(row), network.preprocessing), LONGEST_SIDE))


def _report(task: Task, second: SecondImageSet, placement: Placement, samples: int, pictures: int) -> None:
    images, placed = len(second.images), len(placement.point)
    overlap = {f"{size}": share for size, share in placement.overlap.items()}
    counts = {"images": images, "pictures": pictures, "samples": samples, "unplaced": samples - placed}
    task.write_metrics({**counts, "shared": overlap})
    shares = ", ".join(f"{share:.0%} at level {size}" for size, share in overlap.items())
    log_line(
        f"place {task.layer}: {counted(placed, 'sample')} of {counted(images, 'image')}, {pictures} with a picture; "
        f"overlap with the atlas's own distribution {shares}"
    )
