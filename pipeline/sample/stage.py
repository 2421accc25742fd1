"""Entry of the stage ``sample``: images and network in, one activations artifact for each layer out."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import zarr

from pipeline.config.cluster import from_environment
from pipeline.core import zarr_store
from pipeline.core.artifacts import ACTIVATIONS, IMAGES, MODEL
from pipeline.core.code_dependencies import stage_digest
from pipeline.core.errors import DataError
from pipeline.core.files import discard, identity
from pipeline.core.progress import counted, log_line, progress
from pipeline.core.resumable import Checkpoint, ResumableArtifact, resume, work_folder
from pipeline.core.zarr_store import add_array, write_shards
from pipeline.images.manifest import Manifest, read_manifest
from pipeline.model.description import LayerShape, NetworkDescription, read_description
from pipeline.model.layers import require_layer
from pipeline.parallel.pool import Pool, open_pool
from pipeline.sample import baseline
from pipeline.sample.attribution import Method
from pipeline.sample.shards import (
    PREDICTION,
    SamplerSpec,
    SampleTask,
    Sharding,
    find_methods,
    image_rows,
    position_rows,
    sample_shard,
    shard_images,
    sum_images,
)
from pipeline.sample.stats import ActivationStats, one_class_note, sum_stats
from pipeline.stages import Task

ROWS = "rows"  # the task that needs no network
NETWORK = ("weights", "architecture", "classes", "preprocessing", "layers")  # what results depend on, in model.json


@dataclass(frozen=True)
class _Inputs:
    """What the stage reads.

    Attributes:
        manifest: the images.
        model: description of the saved network.
        shapes: of each layer that is sampled.
        classes: for which attributions are recorded; 0 where none are.
        sharding: the images' tasks.
        baseline: the images whose mean is the baseline of attributions, None where no mean is.
    """

    manifest: Manifest
    model: Mapping[str, Any]
    shapes: Mapping[str, LayerShape]
    classes: int
    sharding: Sharding
    baseline: baseline.BaselinePart | None


def run(task: Task) -> None:
    """Sample every image of the manifest at every layer, in one pass over the images.

    Raises:
        AtlasError: images, network or cluster cannot be used, or a layer's activations are not finite or all zero.
    """
    inputs = _read_inputs(task)
    with ExitStack() as stack:
        checkpoints = {
            layer: stack.enter_context(
                resume(_artifact(task, inputs, layer), partial(_create_arrays, task, inputs, shape.channels))
            )
            for layer, shape in inputs.shapes.items()
        }
        for layer, shape in inputs.shapes.items():
            _write_rows(task, checkpoints[layer], inputs.manifest, shape)
        stats = _sample(task, checkpoints, inputs)
        _check_not_silent(stats)
        for layer, found in stats.items():
            checkpoints[layer].group.attrs["tally"] = found.payload()
    _remove_other_layers(task)
    channels = {layer: shape.channels for layer, shape in inputs.shapes.items()}
    task.write_metrics({layer: found.metrics(channels[layer]) for layer, found in stats.items()})
    for layer, found in stats.items():
        summary = found.summary(channels[layer])
        images = counted(len(inputs.manifest), "image")
        log_line(f"sample: {layer}: {summary}, from {images} → {task.path(ACTIVATIONS, layer)}")
    if note := _prediction_note(task, inputs.model["classes"]):
        log_line(note)


def _prediction_note(task: Task, classes: Sequence[str]) -> str | None:
    stored = zarr_store.open_artifact(ACTIVATIONS, task.path(ACTIVATIONS, task.params.layers[0]))
    if PREDICTION not in stored:
        return None
    image, prediction = (np.asarray(zarr_store.array(stored, name)[...]) for name in ("image", PREDICTION))
    return one_class_note(image, prediction, classes)


def _read_inputs(task: Task) -> _Inputs:
    settings = task.params.sample
    manifest = read_manifest(task.path(IMAGES))
    model = read_description(task.path(MODEL))
    known = NetworkDescription.of(model).layers
    shapes = {layer: require_layer(layer, known) for layer in task.params.layers}
    classes = len(model["classes"]) if settings.attribution else 0
    number_bytes = {"float16": 2, "float32": 4}[settings.storage]
    row_bytes = number_bytes * sum(shape.channels + classes for shape in shapes.values())
    sharding = shard_images(len(manifest), settings.batch_size, settings.positions_per_image, row_bytes)
    compared = settings.attribution and settings.baseline == "mean"
    part = baseline.choose_images(task.params.seed, manifest.digest) if compared else None
    return _Inputs(manifest, model, shapes, classes, sharding, part)


def _artifact(task: Task, inputs: _Inputs, layer: str) -> ResumableArtifact:
    """A layer's artifact.

    Shards of the same images, network, settings and baseline are kept when layers or images are added.
    """
    manifest, model, sharding, part = inputs.manifest, inputs.model, inputs.sharding, inputs.baseline
    digests = [manifest.digest[images.start : images.stop] for images in sharding.tasks()]
    shards = [identity([own, part.identity] if part else own) for own in digests]
    return ResumableArtifact(
        artifact=ACTIVATIONS,
        path=task.path(ACTIVATIONS, layer),
        outputs=task.outputs,
        settings=task.settings(),
        made_from={IMAGES.name: manifest.identity, MODEL.name: model["identity"]},
        results_depend_on={
            "code": stage_digest("sample"),
            "layer": layer,
            "network": {name: model[name] for name in NETWORK},
            "seed": task.params.seed,
            "settings": task.params.sample.model_dump(mode="json"),
            "shard_rows": sharding.shard_rows,
        },
        contents={
            ROWS: identity(manifest.digest),
            **(part.contents() if part else {}),
            **{str(number): own for number, own in enumerate(shards)},
        },
    )


def _create_arrays(task: Task, inputs: _Inputs, channels: int, group: zarr.Group) -> None:
    """The empty arrays of a layer."""
    storage, rows, shard_rows = task.params.sample.storage, inputs.sharding.rows, inputs.sharding.shard_rows
    add_array(group, ACTIVATIONS, "activation", (rows, channels), shard_rows, storage)
    if inputs.classes:
        add_array(group, ACTIVATIONS, "attribution", (rows, inputs.classes), shard_rows, storage)
        add_array(group, ACTIVATIONS, PREDICTION, (rows,), shard_rows)
    if inputs.baseline:
        add_array(group, ACTIVATIONS, baseline.ARRAY, (channels,))
    add_array(group, ACTIVATIONS, "image", (rows,))
    add_array(group, ACTIVATIONS, "position", (rows, 2))


def _write_rows(task: Task, checkpoint: Checkpoint, manifest: Manifest, shape: LayerShape) -> None:
    """Write each row's image and position, which need no network."""
    if checkpoint.task_record(ROWS) is not None:
        return
    settings = task.params.sample
    arrays: dict[str, Any] = {
        "image": image_rows(len(manifest), settings.positions_per_image),
        "position": position_rows(
            shape, task.params.seed, manifest.digest, settings.positions_per_image, settings.border
        ),
    }
    checkpoint.finish(ROWS, write_shards(checkpoint.folder, arrays, 0), {})


def _sample(task: Task, checkpoints: Mapping[str, Checkpoint], inputs: _Inputs) -> dict[str, ActivationStats]:
    """Have workers write what is missing of baselines and shards; returns the counts over all shards."""
    sharding, part = inputs.sharding, inputs.baseline
    tasks = sharding.tasks()
    payloads = {
        layer: [found.task_record(number) for number in range(len(tasks))] for layer, found in checkpoints.items()
    }
    pending = [
        SampleTask(number, images, missing)
        for number, images in enumerate(tasks)
        if (missing := tuple(layer for layer in checkpoints if payloads[layer][number] is None))
    ]
    spec = _sampler_spec(task, checkpoints)
    with ExitStack() as stack:
        sums = part.pending(checkpoints) if part else []
        pool = stack.enter_context(open_pool(from_environment())) if sums or pending else None
        if pool and pending and task.params.sample.attribution:
            methods = _attribution_methods(pool, spec, tuple(inputs.shapes))
            pending = [replace(one, methods=methods) for one in pending]
        if part:
            _write_baselines(part, sums, checkpoints, pool, spec)
        bar = stack.enter_context(progress("sample", sharding.images, "image"))
        bar.update(sharding.images - sum(len(one.images) for one in pending))
        for index, written in pool.map_unordered(sample_shard, pending, spec) if pool else ():
            for layer, shards in written.items():
                payloads[layer][pending[index].number] = shards.stats.payload()
                checkpoints[layer].finish(pending[index].number, shards.checksums, shards.stats.payload())
            bar.update(len(pending[index].images))
    return {layer: sum_stats(payload for payload in found if payload) for layer, found in payloads.items()}


def _write_baselines(
    part: baseline.BaselinePart,
    pending: Sequence[baseline.BaselineTask],
    checkpoints: Mapping[str, Checkpoint],
    pool: Pool | None,
    spec: SamplerSpec,
) -> None:
    """Have workers sum what is missing of the layers' means, and write the means."""
    for index, sums in pool.map_unordered(sum_images, pending, spec) if pool else ():
        for layer, values in sums.items():
            checkpoints[layer].finish(baseline.task_name(pending[index].number), {}, {"sum": values})
    for checkpoint in checkpoints.values():
        part.write(checkpoint)


def _attribution_methods(pool: Pool, spec: SamplerSpec, layers: tuple[str, ...]) -> dict[str, Method]:
    """Have a worker find how the attributions of each layer are computed, the same for all; unusual costs are told."""
    found: dict[str, Method] = {}
    for _, tried in pool.map_unordered(find_methods, [layers], spec):
        for layer, (method, note) in tried.items():
            found[layer] = method
            if note:
                log_line(note)
    return found


def _sampler_spec(task: Task, checkpoints: Mapping[str, Checkpoint]) -> SamplerSpec:
    return SamplerSpec(
        manifest=task.path(IMAGES).absolute(),
        model=task.path(MODEL).absolute(),
        images=task.params.as_written.images,
        max_pixels=task.params.prepare.max_pixels,
        folders={layer: checkpoint.folder for layer, checkpoint in checkpoints.items()},
        settings=task.params.sample,
        seed=task.params.seed,
    )


def _check_not_silent(stats: Mapping[str, ActivationStats]) -> None:
    """Raise DataError for a layer whose activations are all zero."""
    for layer, found in stats.items():
        if found.all_zero:
            raise DataError(
                f"{layer}: expected activations, found zeros only; choose another layer or check the weights"
            )


def _remove_other_layers(task: Task) -> None:
    """Remove layers that are no longer configured, finished or not, with their task records."""
    wanted = {task.path(ACTIVATIONS, layer).name for layer in task.params.layers}
    folder = task.path(ACTIVATIONS, task.params.layers[0]).parent
    for place in (folder, work_folder(task.outputs, folder)):
        for path in place.iterdir():
            if path.name not in wanted:
                discard(path)
