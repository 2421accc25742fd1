"""The sheet of feature accentuation: photographs pulled toward their own cell of the atlas, or toward a unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from pipeline.core.atlas_icons import AtlasIcons
from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.objectives import channel
from pipeline.featurevis.renderer import to_uint8
from pipeline.model.description import LayerShape
from pipeline.parallel.tasks import Arrays
from pipeline.synthesize.accentuation import AccentuationConfig, accentuate, overlay
from pipeline.synthesize.atlas_cells import atlas_level, cell_at
from pipeline.synthesize.cell_objective import ObjectiveOf, toward, value_of_cell
from pipeline.synthesize.context import Context
from pipeline.synthesize.sheet import Column, Measure, Picture, Row, Sheet
from pipeline.synthesize.worker import Worker

SOURCE = "Hamblin et al. 2024"
EARLY = 8  # input pixels for a position: the features that hold an image are no coarser
PIXEL_SHARE = 10.0  # weight of the distance in pixels, in those of the distance in features
FEATURE_SHARE = 0.15  # weight of the distance in features for a fidelity of 1
MEASURES = (
    Measure(
        "activation",
        "activation",
        "Where the picture lies between the image (0) and the whole way to its target (1).",
    ),
    Measure("change", "change", "Root mean square of the change of a value, with black at 0 and white at 1."),
)


@dataclass(frozen=True, eq=False)
class AccentuationTask:
    """One image and what it is pulled toward.

    Attributes:
        row: of the image.
        layer: dotted module path.
        early_layer: whose features hold the picture near the image.
        unit: channel; None for the own cell.
        activation: means of the cells, [cell, channel]; empty for a unit.
        mean: of the whole layer, [channel]; likewise.
    """

    row: int
    layer: str
    early_layer: str
    unit: int | None
    activation: NDArray[np.float32]
    mean: NDArray[np.float32]


def make(context: Context) -> Sheet:
    """Accentuate each image for each target."""
    settings = context.settings.accentuation
    atlases = {layer: atlas_level(context.outputs, layer) for layer in settings.layers or context.atlas_layers}
    tasks = [task for row in context.images for task in _tasks(context, row, atlases)]
    found = context.run("accentuations", accentuate_task, tasks)
    rows = [
        _row(context, task, one, atlases.get(task.layer) if task.unit is None else None)
        for task, one in zip(tasks, found, strict=True)
    ]
    strengths = [
        Column(f"Strength {strength:g}", "The image, changed until the activation has this share of the way.", SOURCE)
        for strength in settings.strengths
    ]
    return Sheet(
        method="accentuation",
        columns=[
            Column("Image"),
            *strengths,
            Column("What counts", "The image in full color where the last change counts, and dimmed elsewhere."),
        ],
        rows=rows,
        measures=MEASURES,
        notes=[
            "The target is the mean activation of the cell that the strongest position of the image belongs to.",
            "The target of a unit is the activation at its most active position of the image, as the mean of the map.",
        ],
        metrics={"reached": float(np.mean([one["activation"][-1] for one in found]) / settings.strengths[-1])},
    )


def accentuate_task(worker: Worker, task: AccentuationTask) -> Arrays:
    """One image for all strengths.

    Returns:
        ``images`` and ``overlay``, uint8 [strength + 1, y, x, 3], the image itself first, and [y, x, 3]; ``activation``
        and ``change`` [strength]; ``cell``, number of the own cell, -1 for a unit.
    """
    settings, device = worker.settings.accentuation, worker.settings.device
    pixels = worker.crop(task.row)
    with torch.no_grad():
        extractor = FeatureExtractor(worker.network, [task.layer], (worker.side, worker.side), "float32")
        grid = extractor(pixels[None])[task.layer][0].float()
    cell, unit = -1, task.unit
    if unit is None:
        activation, mean = (torch.from_numpy(one).to(device) for one in (task.activation, task.mean))
        cell = _own_cell(grid, activation, mean)
        objective_of, aim = toward(task.layer, activation[cell], mean), value_of_cell(activation[cell], mean)
    else:
        objective_of, aim = _unit(task.layer, unit), float(grid[unit].amax())
    weight = FEATURE_SHARE * settings.fidelity
    found = accentuate(
        worker.network,
        objective_of,
        pixels,
        aim=aim,
        strengths=settings.strengths,
        early_layer=task.early_layer,
        config=AccentuationConfig(steps=settings.steps, feature_weight=weight, pixel_weight=PIXEL_SHARE * weight),
        seed=worker.seed,
    )
    way = aim - found.before
    return {
        "images": to_uint8(torch.cat([pixels[None], found.images])).cpu().numpy(),
        "overlay": to_uint8(overlay(pixels, found.maps[-1])[None])[0].cpu().numpy(),
        "activation": (found.after - found.before) / way if way > 0 else np.zeros(len(found.after)),
        "change": found.change,
        "cell": np.array(cell),
    }


def early_layer(layers: Mapping[str, LayerShape], layer: str, side: int) -> str:
    """The last layer before another one that has a position for every eight input pixels; the first if none has.

    Args:
        layers: of the network, from shallow to deep.
        layer: dotted module path.
        side: of the network's input, pixels.
    """
    before = list(takewhile(lambda name: name != layer, layers))
    fine = [name for name in before if EARLY * layers[name].height >= side]
    return (fine or before or [layer])[-1 if fine else 0]


def _tasks(context: Context, row: int, atlases: Mapping[str, AtlasIcons]) -> Sequence[AccentuationTask]:
    layers, side = context.network.layers, context.network.preprocessing.crop
    cells = [
        AccentuationTask(row, layer, early_layer(layers, layer, side), None, atlas.activation, atlas.mean)
        for layer, atlas in atlases.items()
    ]
    none = np.zeros((0, 0), np.float32)
    return [
        *cells,
        *(
            AccentuationTask(row, layer, early_layer(layers, layer, side), unit, none, none)
            for layer, units in context.settings.accentuation.units.items()
            for unit in units
        ),
    ]


def _unit(layer: str, unit: int) -> ObjectiveOf:
    return lambda count: channel(layer, [unit] * count)


def _own_cell(grid: Tensor, activation: Tensor, mean: Tensor) -> int:
    """The cell that the strongest position of a map [channel, y, x] belongs to.

    The strongest one is the one farthest from the layer's mean; its cell is the one of the largest centered cosine.
    """
    positions = grid.flatten(1).T - mean
    strongest = positions[positions.norm(dim=1).argmax()]
    return int((normalize(activation - mean, dim=1) @ strongest).argmax())


def _row(context: Context, task: AccentuationTask, found: Arrays, atlas: AtlasIcons | None) -> Row:
    cell = None if atlas is None else cell_at(atlas, int(found["cell"]))
    target = f"unit {task.unit}" if cell is None else f"cell {cell.address}"
    pictures = [
        Picture(image, {"activation": float(activation), "change": float(change)})
        for image, activation, change in zip(found["images"][1:], found["activation"], found["change"], strict=True)
    ]
    return Row(
        context.image_name(task.row),
        f"{task.layer} {target}",
        [
            Picture(found["images"][0], cell=None if cell is None else cell.place),
            *pictures,
            Picture(found["overlay"]),
        ],
    )
