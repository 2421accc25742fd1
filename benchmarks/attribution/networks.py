"""Networks trained on digits and toytown, and their samples at four layers with every kind of attribution."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from omegaconf import OmegaConf

from pipeline.compose import compose_config
from pipeline.config.params import Params, parse_params
from pipeline.core.artifacts import ACTIVATIONS, IMAGES, LAYOUT, MODEL
from pipeline.core.cells import assign_cells
from pipeline.core.files import write_json
from pipeline.core.zarr_store import array, open_artifact
from pipeline.images.crops import network_crop
from pipeline.images.image_set import open_image_set
from pipeline.images.manifest import ManifestImages, read_manifest, write_manifest
from pipeline.model.inputs import to_tensor
from pipeline.model.interventions import intervened_logits
from pipeline.model.network import load_network
from pipeline.stages import STAGES, Task

SCRATCH = Path("outputs/.bench/attribution")
LAYERS = ("mixed3a", "mixed3b", "mixed4a", "mixed4b")
COMMON = (
    f"layers=[{','.join(LAYERS)}]",
    "sample.storage=float32",
    "sample.positions_per_image=6",
    "prepare.evaluate=false",
)
SETS = {"digits": ("+experiment=digits",), "toytown": ("+experiment=demo",)}
METHODS: Mapping[str, Mapping[str, Any]] = {
    "zero": {"baseline": "zero"},
    "mean": {"baseline": "mean"},
    "integrated from the mean, 6 steps": {"baseline": "mean", "integration_steps": 6},
}
EXACT = "replaced by the mean, exact"
ABLATIONS = ("zero", "mean", "another image's")
BATCH = 32
DONE = "done.json"  # written last: the network is complete


@dataclass(frozen=True)
class Samples:
    """The samples of one layer.

    Attributes:
        image: [sample] row of each one's image.
        label: [sample] class of the image.
        classes: how many there are.
        cell: [sample] cell of the level.
        cells: how many there are.
        attribution: [sample, class] by method, logit.
        drop: [sample, class] by ablation: logit less that with the activation replaced.
    """

    image: NDArray[np.int64]
    label: NDArray[np.int64]
    classes: int
    cell: NDArray[np.int64]
    cells: int
    attribution: Mapping[str, NDArray[np.float32]]
    drop: Mapping[str, NDArray[np.float32]]


def sampled(name: str, images: int, level: int) -> Iterator[tuple[str, Samples]]:
    """The samples of each layer of a network trained on an image set, by layer.

    Args:
        name: of the image set.
        images: the first so many of it are sampled; all train.
        level: cells per side.
    """
    params = set_params(name, [])
    outputs = of_first_images(name, params, images, "sampled")
    attributions: dict[str, dict[str, NDArray[np.float32]]] = {layer: {} for layer in LAYERS}
    for method, settings in METHODS.items():
        task = Task(
            STAGES["sample"], set_params(name, [f"sample.{key}={value}" for key, value in settings.items()]), outputs
        )
        import_module("pipeline.sample.stage").run(task)
        for layer in LAYERS:
            group = open_artifact(ACTIVATIONS, task.path(ACTIVATIONS, layer))
            attributions[layer][method] = np.asarray(array(group, "attribution")[...])
    for layer in LAYERS:
        task = Task(STAGES["reduce"], params, outputs, layer)
        import_module("pipeline.reduce.stage").run(task)
        yield layer, _samples(task, layer, level, attributions[layer])


def set_params(name: str, more: Sequence[str]) -> Params:
    """The configuration of an image set of :data:`SETS` and its network, with further overrides."""
    return parse_params(OmegaConf.to_container(compose_config(Path.cwd(), [*SETS[name], *COMMON, *more])))


def of_first_images(name: str, params: Params, images: int | None, folder: str) -> Path:
    """A folder of artifacts with the trained network, which is trained once, and the manifest of the first images.

    Args:
        name: of the image set.
        params: its configuration.
        images: how many of them; None for all.
        folder: its name; what is there is removed.
    """
    trained, outputs = SCRATCH / name / "trained", SCRATCH / name / folder
    if not (trained / DONE).is_file():
        import_module("pipeline.prepare.stage").run(Task(STAGES["prepare"], params, trained))
        write_json(trained / DONE, {})
    shutil.rmtree(outputs, ignore_errors=True)
    shutil.copytree(MODEL.path(trained), MODEL.path(outputs))
    manifest = read_manifest(IMAGES.path(trained))
    some = {column.name: getattr(manifest, column.name)[:images] for column in fields(manifest)}
    write_manifest(IMAGES.path(outputs), replace(manifest, **some), {}, {})
    return outputs


def _samples(task: Task, layer: str, level: int, attribution: Mapping[str, NDArray[np.float32]]) -> Samples:
    samples = open_artifact(ACTIVATIONS, task.path(ACTIVATIONS, layer))
    layout = open_artifact(LAYOUT, task.path(LAYOUT, layer))
    (assigned,) = assign_cells(np.asarray(array(layout, "xy")[...]), [level])
    rows = np.asarray(array(layout, "sample")[...])
    manifest = read_manifest(task.path(IMAGES))
    image = np.asarray(array(samples, "image")[...])[rows]
    drop = _logit_drops(task, layer, np.asarray(array(samples, "baseline")[...]))
    exact = {EXACT: drop["mean"]}
    return Samples(
        image=image,
        label=manifest.class_[image],
        classes=drop["mean"].shape[1],
        cell=assigned.of_point,
        cells=len(assigned.cell),
        attribution={name: values[rows] for name, values in {**attribution, **exact}.items()},
        drop={name: values[rows] for name, values in drop.items()},
    )


def _logit_drops(task: Task, layer: str, mean: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """What each sample's activation adds to the logits beside zero, the mean, and an activation of another image."""
    samples, network = open_artifact(ACTIVATIONS, task.path(ACTIVATIONS, layer)), load_network(task.path(MODEL))
    images = ManifestImages(
        read_manifest(task.path(IMAGES)), open_image_set(task.params.images), task.params.prepare.max_pixels
    )
    activation = torch.from_numpy(np.asarray(array(samples, "activation")[...]))
    position = torch.from_numpy(np.asarray(array(samples, "position")[...]))
    other = activation.roll(len(activation) // 2, dims=0)
    each = task.params.sample.positions_per_image
    found = torch.empty(len(ABLATIONS), len(activation), len(network.classes))
    for start in range(0, len(images), BATCH):
        span = range(start, min(start + BATCH, len(images)))
        crops = [
            to_tensor(network_crop(images.load(row), network.preprocessing), network.preprocessing) for row in span
        ]
        inputs = torch.stack(crops)
        with torch.no_grad():
            logits = network.module(inputs)
        for place in range(each):
            rows = torch.arange(span.start * each + place, span.stop * each, each)
            add = torch.stack(
                [torch.zeros_like(other[rows]), torch.from_numpy(mean).expand(len(rows), -1), other[rows]]
            )
            replaced = intervened_logits(
                network, layer, inputs, position[rows].long(), torch.zeros(len(add)), add, relative=False
            )
            found[:, rows] = logits - replaced
    return dict(zip(ABLATIONS, found.numpy(), strict=True))
