"""Sheets across networks and layers: units over the training of a network, and classes from layer to layer."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.core.artifacts import CHECKPOINTS
from pipeline.core.progress import log_line
from pipeline.featurevis.sample_patches import measured
from pipeline.model.checkpoints import Checkpoint, read_checkpoints
from pipeline.units.examples import Examples, choose_examples
from pipeline.units.figures import EmbeddingSpec
from pipeline.units.inputs import measure_examples, random_samples, statistics_prior
from pipeline.units.picture_renderer import Engine, PictureRenderer
from pipeline.units.pictures import PictureRequest, UnitPurpose
from pipeline.units.scan import scan_images
from pipeline.units.sheet_context import Progress, SheetContext, cosine
from pipeline.units.sheets import Cell, Sheet
from pipeline.units.vectors import VectorPurpose, VectorRequest

MEASURED_IMAGES = 512  # for the mean activation of a layer, at most

Floats = NDArray[np.float32]
Column = tuple[tuple[str, str, str], list[Cell | None]]


def training_sheet(context: SheetContext) -> Sheet:
    """The units at the checkpoints that the stage ``prepare`` kept, and in the run's own network."""
    inputs = context.inputs
    checkpoints = read_checkpoints(CHECKPOINTS.path(inputs.outputs))
    final = Checkpoint("now", inputs.patches.model)
    columns: list[Column] = []
    with context.progress("training", (len(checkpoints) + 1) * len(context.units)) as advance:
        for checkpoint in (*checkpoints, final):
            log_line(f"  units {inputs.layer}: {checkpoint.name}")
            columns.append(_at_checkpoint(context, checkpoint, advance))
    return Sheet("training", [about for about, _ in columns], context.rows([cells for _, cells in columns]))


def _at_checkpoint(context: SheetContext, checkpoint: Checkpoint, advance: Progress) -> Column:
    """The pictures of all active units by another network of the same architecture."""
    inputs = replace(context.inputs, patches=replace(context.inputs.patches, model=checkpoint.folder))
    own = checkpoint.folder == context.inputs.patches.model
    scan = context.scan if own else scan_images(context.pool, inputs.scanner, len(inputs.manifest))
    high = [float(scan.highest[:, unit].max()) for unit in context.units]
    purpose = UnitPurpose(inputs.layer, inputs.units.objective)
    weight = inputs.units.weight
    fixed = inputs.units.objective == "probability"
    wanted = [
        PictureRequest(inputs.channels[unit], weight if fixed else weight / most, np.zeros(0, np.float32))
        if most > 0
        else None
        for unit, most in zip(context.units, high, strict=True)
    ]
    # the statistics of patches in the last network say nothing of what an earlier one looks for
    engine = Engine(context.engines.settings({"statistics": 0.0}))
    pictures = PictureRenderer(inputs, context.pool, context.cache).render(purpose, engine, wanted, advance)
    cells: list[Cell | None] = []
    for unit, most, picture in zip(context.units, high, pictures, strict=True):
        if picture is None:
            cells.append(None)
            continue
        now = _strongest_quarter(context, context.strongest[unit])
        then = choose_examples(scan, unit, len(now), inputs.shape.width)["highest"]
        cells.append(Cell(picture.image, (picture.scores["activation"] / most,), shared=_shared(now, then)))
    text = "The run’s network." if own else f"The network with the weights of {checkpoint.name}."
    return (checkpoint.name, text, ""), cells


def _strongest_quarter(context: SheetContext, examples: Examples) -> Examples:
    """At most a quarter of all images: all of a small set would be the same for every unit."""
    return examples.part(slice(max(1, len(context.inputs.manifest) // 4)))


def _shared(one: Examples, other: Examples) -> float:
    """Share of the images of one that the other has too, 0..1."""
    return len(np.intersect1d(one.image, other.image)) / len(one)


def layers_sheet(context: SheetContext) -> Sheet:
    """Classes from layer to layer: the direction from the layer's mean to the mean of a class's images, and its logit.

    The images of a class are those of the highest logits.
    """
    inputs = context.inputs
    order = list(inputs.network.layers)
    layers = sorted(inputs.atlas_layers, key=order.index)
    columns: list[Column] = []
    with context.progress("layers", (len(layers) + 1) * len(context.units)) as advance:
        columns += [_at_layer(context, layer, advance) for layer in layers]
        columns.append(_at_logit(context, advance))
    return Sheet("layers", [about for about, _ in columns], context.rows([cells for _, cells in columns]))


def _at_layer(context: SheetContext, layer: str, advance: Progress) -> Column:
    inputs, pool = context.inputs, context.pool
    strongest = [_strongest_quarter(context, context.strongest[unit]) for unit in context.units]
    spec = EmbeddingSpec(inputs.patches, layer, inputs.units.device, inputs.settings.size)
    directions = [rows.mean(axis=0) for rows in measure_examples(pool, spec, strongest)]
    samples = random_samples(inputs)
    some = np.unique(np.linspace(0, len(samples) - 1, min(len(samples), MEASURED_IMAGES)).round().astype(int))
    mean = np.concatenate([rows for _, rows in measured(pool, spec, samples[some])]).mean(axis=0)
    prior, statistics = statistics_prior(inputs, pool, strongest, layer)
    purpose = VectorPurpose(layer, mean, "direction", inputs.settings.cosine_power, prior=prior)
    wanted = [VectorRequest(vector, rows.mean(axis=0)) for vector, rows in zip(directions, statistics, strict=True)]
    pictures = context.renderer.render(purpose, Engine(context.engines.settings({})), wanted, advance)
    cells = [
        None if picture is None else Cell(picture.image, fidelity=cosine(picture.activation - mean, vector - mean))
        for picture, vector in zip(pictures, directions, strict=True)
    ]
    text = f"Towards the mean activation of the class’s images at {layer}, less the mean over all images."
    return (layer, text, ""), cells


def _at_logit(context: SheetContext, advance: Progress) -> Column:
    inputs = context.inputs
    purpose = UnitPurpose(inputs.layer, inputs.units.objective, context.prior)
    wanted = [
        PictureRequest(inputs.channels[unit], context.weight(unit), context.mean_statistics[unit])
        for unit in context.units
    ]
    pictures = context.renderer.render(purpose, Engine(context.engines.settings({})), wanted, advance)
    cells = [
        None if picture is None else Cell(picture.image, (picture.scores["activation"] / context.high[unit],))
        for unit, picture in zip(context.units, pictures, strict=True)
    ]
    return ("logit", "By the class’s logit, or its probability.", "Simonyan et al. 2014"), cells
