"""Stage ``predict``: what a layer attributes to classes, put to the test on the network itself.

Two tests: activations are taken away, and those of unseen images are pushed along a cell's direction.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import zarr
from torch import Tensor

from pipeline.core import artifacts as a
from pipeline.core.files import atomic
from pipeline.core.moments import layer_mean
from pipeline.core.pack import part
from pipeline.core.progress import say
from pipeline.core.zarr_store import array, artifact_identity, level, open_artifact
from pipeline.images.manifest import ManifestImages, read_manifest
from pipeline.images.open_set import open_image_set
from pipeline.model.layers import known_layer
from pipeline.model.preprocessing import network_crop, to_tensor
from pipeline.model.saved import load
from pipeline.predict.cells import cells_of_points, nearest_level
from pipeline.predict.draw import draw_rows
from pipeline.predict.judgement import judgement
from pipeline.predict.passes import Places, Runner
from pipeline.predict.pushing import Level, choose, push, pushing
from pipeline.predict.removal import Drawn, changes, removal
from pipeline.predict.result import metrics
from pipeline.stages import Task

RESULT = "result.js"


def run(task: Task) -> None:
    """Test the attributions of one layer and write what came out for the page."""
    samples = open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS))
    lacking = _lacking(samples)
    content: dict[str, Any] = {"layer": task.layer, "measured": not lacking, "reason": lacking}
    if not lacking:
        content |= _measure(task, samples)
    settings = task.params.predict.model_dump(mode="json")
    content["about"] = a.PREDICT.attributes(settings, {"activations": artifact_identity(samples)})
    with atomic(task.path(a.PREDICT)) as folder:
        folder.mkdir()
        (folder / RESULT).write_text(part(f"predict/{task.layer}", content), encoding="ascii")
    task.write_metrics(metrics(content))
    _say(task.layer, content)


def _lacking(samples: zarr.Group) -> str | None:
    """Why nothing can be measured, None if it can."""
    if "attribution" not in samples:
        return "attributions were not recorded (sample.attribution is false)"
    if array(samples, "attribution").shape[1] < 2:
        return "the network has a single class"
    if len(np.unique(np.asarray(array(samples, "image")[...]))) < 2:
        return "there is a single image"
    return None


def _measure(task: Task, samples: zarr.Group) -> dict[str, Any]:
    settings, seed = task.params.predict, task.params.seed
    everywhere = Places(np.asarray(array(samples, "image")[...]), np.asarray(array(samples, "position")[...]))
    mean = layer_mean(array(samples, "activation"))
    runner = _runner(task)
    drawn = _drawn(task, samples, everywhere)
    removed = removal(drawn, changes(runner, drawn, mean), settings.resamples, seed)
    cells = _level(task)
    chosen = choose(cells, mean, everywhere, settings, seed)
    pushed = None
    if len(chosen.pushes.row):
        rises = push(runner, chosen, everywhere, settings.push, seed)
        pushed = pushing(cells, chosen, everywhere, rises, settings, seed)
    return {"seed": seed, "replacement": removed, "cells": pushed, "verdict": judgement(removed, pushed)}


def _runner(task: Task) -> Runner:
    settings = task.params.predict
    network = load(task.path(a.MODEL), settings.device)
    known_layer(task.layer, network.layers)
    manifest = read_manifest(task.path(a.IMAGES))
    images = ManifestImages(manifest, open_image_set(task.params.images), task.params.prepare.max_pixels)

    def load_input(row: int) -> Tensor:
        return to_tensor(network_crop(images.load(row), network.preprocessing), network.preprocessing)

    return Runner(network, task.layer, load_input, settings.batch_size, settings.device)


def _drawn(task: Task, samples: zarr.Group, everywhere: Places) -> Drawn:
    rows = draw_rows(everywhere.image, task.params.predict.samples, task.params.seed)
    in_order, back = np.sort(rows), np.argsort(np.argsort(rows))
    recorded = [np.asarray(array(samples, name).oindex[in_order])[back] for name in ("activation", "attribution")]
    label = read_manifest(task.path(a.IMAGES)).class_[everywhere.image[rows]]
    places = Places(everywhere.image[rows], everywhere.position[rows])
    return Drawn(places, recorded[0].astype(np.float64), recorded[1].astype(np.float64), label)


def _level(task: Task) -> Level:
    grid = open_artifact(a.GRID, task.path(a.GRID))
    layout = open_artifact(a.LAYOUT, task.path(a.LAYOUT))
    sizes = [int(name) for name in grid.group_keys()]
    size = nearest_level(sizes, task.params.predict.level)
    found = level(grid, size)
    columns = {name: np.asarray(array(found, name)[...]) for name in ("cell", "drawn", "activation", "attribution")}
    xy = np.asarray(array(layout, "xy")[...])
    return Level(
        size=size,
        cell=columns["cell"],
        drawn=columns["drawn"],
        activation=columns["activation"].astype(np.float64),
        attribution=columns["attribution"].astype(np.float64),
        squares=cells_of_points(xy, size, max(sizes)),
        sample=np.asarray(array(layout, "sample")[...]),
    )


def _say(layer: str, content: Mapping[str, Any]) -> None:
    if not content["measured"]:
        say(f"predict {layer}: not measured, since {content['reason']}")
        return
    within = content["replacement"]["measures"]["zero"]["within"]
    say(f"predict {layer}: rank correlation {within['value']} ({within['low']} to {within['high']}) with zero in place")
    if content["cells"]:
        own = content["cells"]["percentile"]["own"]
        say(f"predict {layer}: a cell's classes at {own['value']} ({own['low']} to {own['high']}) of all rises")
    say(f"predict {layer}: {content['verdict']['text']}")
