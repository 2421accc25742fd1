"""Entry of the stage ``sample``: images and network in, one activations artifact for each layer out."""

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import zarr

import pipeline
from pipeline.core.artifacts import ACTIVATIONS, IMAGES, MODEL
from pipeline.core.cluster import from_environment, open_pool
from pipeline.core.errors import DataError
from pipeline.core.files import discard
from pipeline.core.progress import progress, say
from pipeline.core.resumable import Growing, Growth, code_digest, grow
from pipeline.core.zarr_store import add_array, write_shards
from pipeline.images.manifest import Manifest, read_manifest
from pipeline.model.layers import LayerShape, known_layer
from pipeline.model.saved import describe
from pipeline.sample.cut import Cut, cut
from pipeline.sample.rows import image_rows, position_rows
from pipeline.sample.sampler import Engagement, Order, sample_shard
from pipeline.sample.tally import Tally, total
from pipeline.stages import Task

CODE = ("sample", "images", "model")  # packages whose change makes all anew, as dvc.yaml has it
ROWS = "rows"  # the task that needs no network


def run(task: Task) -> None:
    """Sample every image of the manifest at every layer, in one pass over the images.

    Raises:
        AtlasError: images, network or cluster are not as they should be, or a layer gives numbers that are no use.
    """
    manifest = read_manifest(task.path(IMAGES))
    description = describe(task.path(MODEL))
    known = {name: LayerShape(**shape) for name, shape in description["layers"].items()}
    shapes = {layer: known_layer(layer, known) for layer in task.params.layers}
    classes = len(description["classes"]) if task.params.sample.attribution else 0
    cutting = _cut(task, len(manifest), shapes, classes)
    made_from = {IMAGES.name: manifest.identity, MODEL.name: description["identity"]}
    with ExitStack() as stack:
        growing = {
            layer: stack.enter_context(
                grow(_growth(task, layer, made_from), partial(_lay_out, task, cutting, shape.channels, classes))
            )
            for layer, shape in shapes.items()
        }
        for layer, shape in shapes.items():
            _write_rows(task, growing[layer], manifest, shape)
        tallies = _sample(task, growing, cutting)
        _refuse_silence(tallies)
        for layer, found in tallies.items():
            growing[layer].group.attrs["tally"] = found.payload()
    _remove_others(task)
    task.write_metrics({layer: found.metrics(shapes[layer].channels) for layer, found in tallies.items()})
    for layer, found in tallies.items():
        summary = found.summary(shapes[layer].channels)
        say(f"sample: {layer}: {summary}, from {len(manifest)} images → {task.path(ACTIVATIONS, layer)}")


def _cut(task: Task, images: int, shapes: Mapping[str, LayerShape], classes: int) -> Cut:
    settings = task.params.sample
    number_bytes = {"float16": 2, "float32": 4}[settings.storage]
    row_bytes = number_bytes * sum(shape.channels + classes for shape in shapes.values())
    return cut(images, settings.batch_size, settings.positions_per_image, row_bytes)


def _growth(task: Task, layer: str, made_from: Mapping[str, str]) -> Growth:
    code = code_digest(Path(pipeline.__file__).parent / package for package in CODE)
    return Growth(ACTIVATIONS, task.path(ACTIVATIONS, layer), task.outputs, task.settings(), made_from, code)


def _lay_out(task: Task, cutting: Cut, channels: int, classes: int, group: zarr.Group) -> None:
    """The empty arrays of a layer."""
    storage = task.params.sample.storage
    add_array(group, ACTIVATIONS, "activation", (cutting.rows, channels), cutting.shard_rows, storage)
    if classes:
        add_array(group, ACTIVATIONS, "attribution", (cutting.rows, classes), cutting.shard_rows, storage)
    add_array(group, ACTIVATIONS, "image", (cutting.rows,))
    add_array(group, ACTIVATIONS, "position", (cutting.rows, 2))


def _write_rows(task: Task, growing: Growing, manifest: Manifest, shape: LayerShape) -> None:
    """What is known of the rows without the network."""
    if growing.done(ROWS) is not None:
        return
    settings = task.params.sample
    arrays: dict[str, Any] = {
        "image": image_rows(len(manifest), settings.positions_per_image),
        "position": position_rows(
            shape, task.params.seed, manifest.digest, settings.positions_per_image, settings.border
        ),
    }
    growing.finish(ROWS, write_shards(growing.folder, arrays, 0), {})


def _sample(task: Task, growing: Mapping[str, Growing], cutting: Cut) -> dict[str, Tally]:
    """Have the missing shards written, and count what is in all of them."""
    tasks = cutting.tasks()
    found = {layer: [grown.done(number) for number in range(len(tasks))] for layer, grown in growing.items()}
    orders = [
        Order(number, images, missing)
        for number, images in enumerate(tasks)
        if (missing := tuple(layer for layer in growing if found[layer][number] is None))
    ]
    with progress("sample", cutting.images, "image") as bar:
        bar.update(cutting.images - sum(len(order.images) for order in orders))
        if orders:
            with open_pool(from_environment()) as pool:
                for index, written in pool.map_unordered(sample_shard, orders, _engagement(task, growing)):
                    for layer, one in written.items():
                        found[layer][orders[index].number] = one.tally.payload()
                        growing[layer].finish(orders[index].number, one.shards, one.tally.payload())
                    bar.update(len(orders[index].images))
    return {layer: total(payload for payload in payloads if payload) for layer, payloads in found.items()}


def _engagement(task: Task, growing: Mapping[str, Growing]) -> Engagement:
    return Engagement(
        manifest=task.path(IMAGES).absolute(),
        model=task.path(MODEL).absolute(),
        images=task.params.images,
        max_pixels=task.params.prepare.max_pixels,
        folders={layer: grown.folder for layer, grown in growing.items()},
        settings=task.params.sample,
        seed=task.params.seed,
    )


def _refuse_silence(tallies: Mapping[str, Tally]) -> None:
    """Raise DataError for a layer that answers nothing at all."""
    for layer, tally in tallies.items():
        if tally.all_zero:
            raise DataError(
                f"{layer}: expected activations, found zeros only; choose another layer or check the weights"
            )


def _remove_others(task: Task) -> None:
    """Remove layers that are no longer asked for, finished or not, and the notes of them."""
    wanted = {task.path(ACTIVATIONS, layer).name for layer in task.params.layers}
    folder = task.path(ACTIVATIONS, task.params.layers[0]).parent
    notes = Growth(ACTIVATIONS, folder, task.outputs, {}, {}).notes
    for place in (folder, notes):
        for old in place.iterdir():
            if old.name not in wanted:
                discard(old)
