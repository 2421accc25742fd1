"""The sheet of DeepDream: photographs in rows, what is amplified in them in columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.config.synthesize import SynthesizeSettings
from pipeline.featurevis.objectives import channel, deep_dream, logit
from pipeline.featurevis.renderer import to_uint8
from pipeline.model.network import Network
from pipeline.parallel.tasks import Arrays
from pipeline.synthesize.atlas_cells import named_cells
from pipeline.synthesize.cell_objective import ObjectiveOf, toward
from pipeline.synthesize.context import Context
from pipeline.synthesize.deep_dream import DreamConfig, check_dream_memory, needed_bytes
from pipeline.synthesize.deep_dream import deep_dream as dream_of
from pipeline.synthesize.sheet import Column, Measure, Picture, Row, Sheet
from pipeline.synthesize.worker import Worker

SOURCE = "Mordvintsev et al. 2015"
MEASURES = (
    Measure("before", "before", "What is amplified, in the image: the mean of the objective over its tiles."),
    Measure("after", "after", "The same in the picture."),
)


@dataclass(frozen=True, eq=False)
class Target:
    """What is amplified.

    Attributes:
        name: of the column.
        layer: dotted module path; empty for a class.
        index: of the channel or class; None for a whole layer and for a cell.
        activation, layer_mean: of a cell, [channel]; None for anything else.
        cell: its place in the atlas; None for anything else.
    """

    name: str
    layer: str
    index: int | None = None
    activation: NDArray[np.float32] | None = None
    layer_mean: NDArray[np.float32] | None = None
    cell: tuple[str, int, int, int] | None = None

    def objective_of(self, device: str) -> ObjectiveOf:
        """The objective of a number of tiles."""
        layer, index = self.layer, self.index
        if self.activation is not None and self.layer_mean is not None:
            activation, mean = (torch.from_numpy(one).to(device) for one in (self.activation, self.layer_mean))
            return toward(layer, activation, mean)
        if index is None:
            return lambda _: deep_dream(layer)
        return (lambda count: channel(layer, [index] * count)) if layer else lambda count: logit([index] * count)


@dataclass(frozen=True, eq=False)
class DreamTask:
    """One picture.

    Attributes:
        row: of the image.
        target: what is amplified.
    """

    row: int
    target: Target


def make(context: Context) -> Sheet:
    """Amplify each target in each image.

    Raises:
        ConfigError: a cell is named that is not drawn, or an image is too large for the memory.
    """
    targets = _targets(context)
    layers = [target.layer for target in targets if target.layer] or list(context.network.layers)[-1:]
    deepest = max(layers, key=list(context.network.layers).index)
    check_memory(context.network, context.settings, deepest, _largest(context))
    photographs = context.run("photographs", photograph, context.images)
    tasks = [DreamTask(row, target) for row in context.images for target in targets]
    found = context.run("dreams", dream, tasks)
    rows = []
    for number, (row, original) in enumerate(zip(context.images, photographs, strict=True)):
        own = found[number * len(targets) : (number + 1) * len(targets)]
        pictures = [
            Picture(one["image"], {"before": float(one["before"]), "after": float(one["after"])}, cell=target.cell)
            for one, target in zip(own, targets, strict=True)
        ]
        rows.append(Row(context.image_name(row), context.manifest.key[row], [Picture(original["image"]), *pictures]))
    rose = float(np.mean([one["after"] > one["before"] for one in found]))
    return Sheet(
        method="deep_dream",
        columns=[Column("Image"), *(Column(target.name, _explained(target), SOURCE) for target in targets)],
        rows=rows,
        measures=MEASURES,
        metrics={"rose": rose},
    )


def photograph(worker: Worker, row: int) -> Arrays:
    """``image``: the image in a row at the size of the pictures, uint8 [y, x, 3]."""
    pixels = worker.photograph(row, worker.settings.deep_dream.size)
    return {"image": to_uint8(pixels[None])[0].cpu().numpy()}


def dream(worker: Worker, task: DreamTask) -> Arrays:
    """``image``, uint8 [y, x, 3]; ``before`` and ``after``, see :class:`pipeline.synthesize.deep_dream.Dream`."""
    settings = worker.settings
    pixels = worker.photograph(task.row, settings.deep_dream.size)
    config, objective_of = dream_config(settings, worker.side), task.target.objective_of(settings.device)
    found = dream_of(worker.network, objective_of, pixels, config, seed=worker.seed)
    return {
        "image": to_uint8(found.image[None])[0].cpu().numpy(),
        "before": np.array(found.before),
        "after": np.array(found.after),
    }


def dream_config(settings: SynthesizeSettings, side: int) -> DreamConfig:
    """How images are changed.

    Args:
        settings: of the stage.
        side: of the network's input, pixels.
    """
    own = settings.deep_dream
    return DreamConfig(
        octaves=own.octaves,
        octave_scale=own.octave_scale,
        steps=own.steps,
        step_size=own.step_size,
        tile=own.tile or side,
        batch_size=settings.batch_size,
    )


def check_memory(network: Network, settings: SynthesizeSettings, layer: str, size: tuple[int, int]) -> None:
    """Raise ConfigError where a picture of a size does not fit into the memory.

    Args:
        network: on the device of the settings.
        settings: of the stage.
        layer: the deepest one that is amplified.
        size: (height, width) of the picture, pixels.
    """
    config = dream_config(settings, network.preprocessing.crop)
    needed = needed_bytes(network, lambda _: deep_dream(layer), size, config)
    check_dream_memory(needed, settings.device, size, "synthesize.deep_dream")


def _largest(context: Context) -> tuple[int, int]:
    """(height, width) of the largest picture, pixels."""
    manifest, longest = context.manifest, context.settings.deep_dream.size
    sizes = [(int(manifest.height[row]), int(manifest.width[row])) for row in context.images]
    scales = [1.0 if longest is None else longest / max(size) for size in sizes]
    found = [
        (max(1, round(height * scale)), max(1, round(width * scale)))
        for (height, width), scale in zip(sizes, scales, strict=True)
    ]
    return max(found, key=lambda size: size[0] * size[1])


def _targets(context: Context) -> Sequence[Target]:
    """Layers, units, classes and cells that are named; the layers of the atlas where nothing is."""
    settings, names = context.settings.deep_dream, context.network.classes
    units = [
        Target(f"{layer} unit {unit}", layer, unit) for layer, channels in settings.units.items() for unit in channels
    ]
    classes = [Target(names[number], "", number) for number in context.settings.dreamed_classes(names)]
    cells = [
        Target(
            f"{layer} cell {cell.address}",
            layer,
            activation=cell.activation,
            layer_mean=cell.layer_mean,
            cell=cell.place,
        )
        for layer, addresses in settings.cells.items()
        for cell in named_cells(context.outputs, layer, addresses, "synthesize.deep_dream.cells")
    ]
    others = [*units, *classes, *cells]
    layers = settings.layers or (() if others else context.atlas_layers)
    return [*(Target(layer, layer) for layer in layers), *others]


def _explained(target: Target) -> str:
    if target.cell is not None:
        return "The direction of a cell of the atlas is amplified."
    if target.index is None:
        return "Whatever the layer responds to is amplified: the mean square of its activations."
    return "The mean activation of a unit is amplified." if target.layer else "The logit of a class is amplified."
