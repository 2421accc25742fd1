"""The sheet of feature inversion: images in rows, what each layer keeps of them in columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from pipeline.featurevis.renderer import to_uint8
from pipeline.parallel.tasks import Arrays, joined
from pipeline.synthesize.context import Context
from pipeline.synthesize.inversion import InversionConfig, invert
from pipeline.synthesize.layer_choice import spread_layers
from pipeline.synthesize.sheet import Column, Curve, Measure, Picture, Row, Sheet
from pipeline.synthesize.worker import Worker

SOURCE = "Mahendran & Vedaldi 2015"
MEASURES = (
    Measure(
        "pixel_error",
        "pixels",
        "Squared distance from the image, relative to that of the image from its mean color: 0 for the image itself.",
    ),
    Measure(
        "feature_error",
        "features",
        "Squared distance of the layer's features from those of the image, relative to them.",
    ),
)


@dataclass(frozen=True)
class InversionTask:
    """Some images at one layer.

    Attributes:
        rows: of the images.
        layer: dotted module path.
    """

    rows: tuple[int, ...]
    layer: str


def make(context: Context) -> Sheet:
    """Invert the features of each image at each layer."""
    settings, images = context.settings.inversion, context.images
    layers = settings.layers or spread_layers(context.network.layers)
    size = context.settings.batch_size
    parts = [tuple(images[start : start + size]) for start in range(0, len(images), size)]
    tasks = [InversionTask(part, layer) for layer in layers for part in parts]
    done = context.run("inversions", invert_task, tasks, "batch")
    by_layer = [joined(done[number : number + len(parts)]) for number in range(0, len(done), len(parts))]
    originals = [one["image"] for one in context.run("photographs", photograph, images)]
    rows = [
        Row(
            context.image_name(row),
            context.manifest.key[row],
            [Picture(originals[number]), *(_picture(found, number) for found in by_layer)],
        )
        for number, row in enumerate(images)
    ]
    means = {name: [float(found[name].mean()) for found in by_layer] for name in ("pixel_error", "feature_error")}
    return Sheet(
        method="inversion",
        columns=[
            Column("Image"),
            *(Column(layer, "From noise to the same features at this layer.", SOURCE) for layer in layers),
        ],
        rows=rows,
        measures=MEASURES,
        curves=[_curve(layers, means)],
        metrics={"first_pixel_error": means["pixel_error"][0], "last_pixel_error": means["pixel_error"][-1]},
    )


def photograph(worker: Worker, row: int) -> Arrays:
    """``image``: what the network sees of an image, uint8 [y, x, 3]."""
    return {"image": to_uint8(worker.crop(row)[None])[0].cpu().numpy()}


def invert_task(worker: Worker, task: InversionTask) -> Arrays:
    """``image``, uint8 [image, y, x, 3]; ``pixel_error`` and ``feature_error`` [image]."""
    own = worker.settings.inversion
    photographs = torch.stack([worker.crop(row) for row in task.rows])
    config = InversionConfig(steps=own.steps, total_variation=own.total_variation)
    found = invert(worker.network, task.layer, photographs, config, worker.seed)
    return {
        "image": to_uint8(found.images).cpu().numpy(),
        "pixel_error": found.pixel_errors.cpu().numpy(),
        "feature_error": found.feature_errors.cpu().numpy(),
    }


def _picture(found: Arrays, number: int) -> Picture:
    values = {name: float(found[name][number]) for name in ("pixel_error", "feature_error")}
    return Picture(np.asarray(found["image"][number]), values)


def _curve(layers: Sequence[str], means: dict[str, list[float]]) -> Curve:
    return Curve(
        "What layers lose",
        "Mean errors over the images: what a layer keeps of the pixels, and how well its features are met.",
        "layer",
        "relative squared error",
        list(layers),
        {"pixels": means["pixel_error"], "features": means["feature_error"]},
    )
