"""Stage ``predict``: tests on the network itself whether a layer's attributions predict changes of the logits.

Two tests: activations are ablated, and activations of other images are steered along a cell's direction.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import zarr
from torch import Tensor

from pipeline.core import artifacts as a
from pipeline.core.files import atomic
from pipeline.core.grid_levels import grid_level, level_sizes
from pipeline.core.moments import layer_mean
from pipeline.core.progress import log_line
from pipeline.core.site_data import data_script
from pipeline.core.zarr_store import array, artifact_identity, open_artifact
from pipeline.images.crops import network_crop
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import ManifestImages, read_manifest
from pipeline.model.inputs import to_tensor
from pipeline.model.layers import require_layer
from pipeline.model.network import load_network
from pipeline.predict.ablation import AblationSamples, ablation_results, draw_rows, logit_drops
from pipeline.predict.measurement import InterventionRunner, SamplePositions
from pipeline.predict.steering import SteeringLevel, flat_cells_at, plan_steering, steer, steering_results
from pipeline.predict.verdict import layer_verdict
from pipeline.stages import Task

RESULT = "result.js"


def run(task: Task) -> None:
    """Test the attributions of one layer and write the results for the page.

    Raises:
        ModelError: the saved network has no such layer.
    """
    samples = open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS))
    reason = _skip_reason(samples)
    content: dict[str, Any] = {"layer": task.layer, "measured": not reason, "reason": reason}
    if not reason:
        content |= _measure(task, samples)
    settings = task.params.predict.model_dump(mode="json")
    content["provenance"] = a.PREDICT.attributes(settings, {"activations": artifact_identity(samples)})
    with atomic(task.path(a.PREDICT)) as folder:
        folder.mkdir()
        (folder / RESULT).write_text(data_script(f"predict/{task.layer}", content), encoding="ascii")
    task.write_metrics(metrics(content))
    _log(task.layer, content)


def _skip_reason(samples: zarr.Group) -> str | None:
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
    positions = SamplePositions(np.asarray(array(samples, "image")[...]), np.asarray(array(samples, "position")[...]))
    mean = layer_mean(array(samples, "activation"))
    runner = _runner(task)
    drawn = _ablation_samples(task, samples, positions)
    # with the very baseline that attributions compare with
    drops = logit_drops(runner, drawn, np.asarray(array(samples, "baseline")[...]) if "baseline" in samples else mean)
    ablation = ablation_results(drawn, drops, task.params.sample.baseline, settings.resamples, seed)
    grid_level = _steering_level(task)
    plan = plan_steering(grid_level, mean, positions, settings, seed)
    steering = None
    if len(plan.trials.row):
        changes = steer(runner, plan, positions, settings.strength, seed)
        steering = steering_results(grid_level, plan, positions, changes, settings, seed)
    return {"seed": seed, "ablation": ablation, "steering": steering, "verdict": layer_verdict(ablation, steering)}


def _runner(task: Task) -> InterventionRunner:
    settings = task.params.predict
    network = load_network(task.path(a.MODEL), settings.device)
    require_layer(task.layer, network.layers)
    manifest = read_manifest(task.path(a.IMAGES))
    images = ManifestImages(manifest, open_image_set(task.params.images), task.params.prepare.max_pixels)

    def load_input(row: int) -> Tensor:
        return to_tensor(network_crop(images.load(row), network.preprocessing), network.preprocessing)

    return InterventionRunner(network, task.layer, load_input, settings.batch_size, settings.device)


def _ablation_samples(task: Task, samples: zarr.Group, positions: SamplePositions) -> AblationSamples:
    rows = draw_rows(positions.image, task.params.predict.samples, task.params.seed)
    in_order, back = np.sort(rows), np.argsort(np.argsort(rows))
    recorded = [np.asarray(array(samples, name).oindex[in_order])[back] for name in ("activation", "attribution")]
    label = read_manifest(task.path(a.IMAGES)).class_[positions.image[rows]]
    drawn = SamplePositions(positions.image[rows], positions.position[rows])
    return AblationSamples(drawn, recorded[0].astype(np.float64), recorded[1].astype(np.float64), label)


def _steering_level(task: Task) -> SteeringLevel:
    grid = open_artifact(a.GRID, task.path(a.GRID))
    layout = open_artifact(a.LAYOUT, task.path(a.LAYOUT))
    sizes = level_sizes(grid)
    level = grid_level(grid, _nearest_level(sizes, task.params.predict.level))
    xy = np.asarray(array(layout, "xy")[...])
    return SteeringLevel(
        size=level.size,
        cell=level.cell,
        drawn=level.drawn,
        activation=level.activation.astype(np.float64),
        attribution=level.attribution.astype(np.float64),
        flat_cell=flat_cells_at(xy, level.size, max(sizes)),
        sample=np.asarray(array(layout, "sample")[...]),
    )


def _nearest_level(sizes: Sequence[int], wanted: int) -> int:
    """The grid level nearest to ``wanted``; of two, the coarser."""
    return min(sizes, key=lambda size: abs(size - wanted))


def metrics(content: Mapping[str, Any]) -> dict[str, Any]:
    """The main numbers of a layer, for ``dvc metrics show``."""
    if not content["measured"]:
        return {"measured": False}
    ablation, steering = content["ablation"], content["steering"]
    found = {
        "measured": True,
        "estimated": ablation["estimated"],
        "ablation_grade": content["verdict"]["ablation"]["grade"],
        "steering_grade": content["verdict"]["steering"]["grade"],
        "within": {name: group["within"] for name, group in ablation["measures"].items()},
        "within_shuffled": {name: group["within"] for name, group in ablation["shuffled"].items()},
        "across": {name: group["across"] for name, group in ablation["measures"].items()},
        "samples": ablation["samples"],
        "cells": steering["tested"] if steering else 0,
    }
    return found | {"percentile": steering["percentile"], "percentile_lift": steering["lift"]} if steering else found


def _log(layer: str, content: Mapping[str, Any]) -> None:
    if not content["measured"]:
        log_line(f"predict {layer}: not measured, since {content['reason']}")
        return
    estimated = content["ablation"]["estimated"]
    within = content["ablation"]["measures"][estimated]["within"]
    log_line(
        f"predict {layer}: {estimated} ablation, rank correlation of attribution and logit drop {within['value']} "
        f"({within['low']} to {within['high']})"
    )
    if content["steering"]:
        own = content["steering"]["percentile"]["own"]
        log_line(
            f"predict {layer}: steering, percentile of the top classes {own['value']} ({own['low']} to {own['high']})"
        )
    log_line(f"predict {layer}: {content['verdict']['text']}")
