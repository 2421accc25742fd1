"""Sheets of vectors over channels: named sums and the whole layer, random axes, and changes of a photograph."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.core.layer_names import LOGITS
from pipeline.featurevis.cache import CachedImage
from pipeline.featurevis.step_filters import GaussianBlur, StepFilters
from pipeline.units.activation_maps import EXCEEDED
from pipeline.units.concepts import Overlap
from pipeline.units.examples import choose_examples
from pipeline.units.inputs import statistics_prior
from pipeline.units.picture_renderer import Engine
from pipeline.units.scan import Scan, random_rotation, scan_images
from pipeline.units.sheet_columns import TRANSFORMS, plain
from pipeline.units.sheet_context import TINY, Progress, SheetContext, cosine
from pipeline.units.sheet_engines import worker_threads
from pipeline.units.sheets import Cell, Row, Sheet
from pipeline.units.vectors import VectorMeasure, VectorPurpose, VectorRequest

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

STRONG = 4.0  # deviations above the mean that count as a high activation of a channel
SHORT_STEPS = {**TRANSFORMS, "learning_rate": 0.02}
CHANGES = (  # how a photograph is changed
    plain("Pixels", "Steps along the gradient of the unit’s activation.", "Szegedy et al. 2014", SHORT_STEPS),
    plain(
        "Smooth",
        "The same with a blurred gradient: without fine noise, which a network sees and people do not.",
        "Øygard 2015",
        SHORT_STEPS,
        filters=StepFilters(gradient=(GaussianBlur(1.5),)),
    ),
)


def directions_sheet(context: SheetContext) -> Sheet:
    """Weighted sums of channels that the settings name, each and its opposite; and the whole layer."""
    inputs = context.inputs
    named = inputs.units.directions.get(inputs.layer, {})
    deviation = np.sqrt(np.maximum(context.scan.squares / context.scan.positions - context.layer_mean**2, TINY))
    vectors = []
    for weights in named.values():
        vector = np.zeros(inputs.shape.channels, np.float32)
        vector[list(weights)] = list(weights.values())
        vectors.append(vector / max(float((STRONG * deviation * np.abs(vector)).sum()), TINY))
    rows = []
    with context.progress("directions", 2 * len(vectors) + 1) as advance:
        purpose = VectorPurpose(inputs.layer, context.layer_mean, "sum", weight=inputs.units.weight)
        pictures = _render(context, purpose, [sign * vector for sign in (1, -1) for vector in vectors], advance)
        for number, (name, weights) in enumerate(named.items()):
            cells = [
                _direction_cell(context, pictures[row], sign * vectors[number])
                for row, sign in ((number, 1.0), (number + len(named), -1.0))
            ]
            rows.append(Row(tuple(weights), name, cells))
        if inputs.layer != LOGITS:
            everything = replace(purpose, kind="layer", weight=inputs.units.weight / (STRONG * context.mean_square))
            (picture,) = _render(context, everything, [np.zeros(inputs.shape.channels, np.float32)], advance)
            cells = [None if picture is None else Cell(picture.image), None]
            rows.append(Row((), "all channels: the mean square of their activations", cells))
    columns = [
        ("Direction", "The weighted sum of channels, in the mean over the map.", "Olah et al. 2017"),
        ("Opposite direction", "The same with the opposite sign.", ""),
    ]
    return Sheet("directions", columns, rows)


def _direction_cell(context: SheetContext, picture: CachedImage | None, vector: Floats) -> Cell | None:
    if picture is None:
        return None
    return Cell(picture.image, fidelity=cosine(picture.activation - context.layer_mean, vector))


def rotation_sheet(context: SheetContext) -> Sheet:
    """The units beside as many axes of a random rotation of the layer's channels."""
    inputs, pool = context.inputs, context.pool
    turned = scan_images(pool, replace(inputs.scanner, rotation=inputs.seed), len(inputs.manifest))
    rotation = random_rotation(inputs.shape.channels, inputs.seed).numpy()
    axes = (np.eye(inputs.shape.channels, dtype=np.float32)[list(inputs.channels)], rotation[list(inputs.channels)])
    overlaps = (None, None) if context.concepts is None else (context.concepts.units, context.concepts.rotated)
    with context.progress("rotation", 2 * len(context.units)) as advance:
        found = [
            _axis_cells(context, scan, vectors, overlap, advance)
            for scan, vectors, overlap in zip((context.scan, turned), axes, overlaps, strict=True)
        ]
    columns = [
        ("Channel", "The unit itself.", ""),
        ("Random axis", "An axis of a random rotation of the layer’s channels.", "after Bau et al. 2017"),
    ]
    return Sheet("rotation", columns, context.rows(found))


def _axis_cells(
    context: SheetContext, scan: Scan, vectors: Floats, overlap: Overlap | None, advance: Progress
) -> list[Cell | None]:
    """Pictures of axes, one for each active unit, each held near the statistics of its own strongest patches."""
    inputs, units = context.inputs, context.units
    strongest = [choose_examples(scan, unit, inputs.units.compared, inputs.shape.width)["highest"] for unit in units]
    prior, statistics = statistics_prior(inputs, context.pool, strongest)
    high = [float(scan.highest[:, unit].max()) for unit in units]
    purpose = VectorPurpose(inputs.layer, context.layer_mean, "sum", weight=inputs.units.weight, prior=prior)
    wanted = [  # an axis may be negative in all images
        VectorRequest((vectors[unit] / most).astype(np.float32), rows.mean(axis=0)) if most > 0 else None
        for unit, most, rows in zip(units, high, statistics, strict=True)
    ]
    pictures = context.renderer.render(purpose, Engine(context.engines.settings({})), wanted, advance)
    concepts = [None if overlap is None else overlap.best(unit) for unit in units]
    return [
        None if picture is None else Cell(picture.image, (picture.scores["activation"],), concept=concept)
        for picture, concept in zip(pictures, concepts, strict=True)
    ]


def change_sheet(context: SheetContext) -> Sheet:
    """How a photograph must change for a unit to be as active as in few images: by single pixels, and smoothly."""
    inputs, rare = context.inputs, context.scan.exceeded_at(EXCEEDED)
    photographs = [context.photograph(unit) for unit in context.units]
    # of a unit that hardly fires: half of its highest activation
    shares = [max(float(rare[unit]) / context.high[unit], 0.5) for unit in context.units]
    vectors = [np.zeros(inputs.shape.channels, np.float32) for _ in context.units]
    for vector, unit, share in zip(vectors, context.units, shares, strict=True):
        vector[inputs.channels[unit]] = 1 / (share * context.high[unit])
    # the activation that is wanted has the value 1, above which it counts no more
    purpose = VectorPurpose(
        inputs.layer, context.layer_mean, "center", weight=inputs.units.weight, limit=inputs.units.weight
    )
    reached = _activations(context, photographs, vectors)
    wanted = [  # one that is as active as wanted already stays as it is
        VectorRequest(vector, np.zeros(0, np.float32), photograph) if value < 1 else None
        for vector, photograph, value in zip(vectors, photographs, reached, strict=True)
    ]
    unchanged = [Cell(one, (value * share,)) for one, value, share in zip(photographs, reached, shares, strict=True)]
    cells: list[Sequence[Cell | None]] = [unchanged]
    with context.progress("change", len(CHANGES) * len(context.units)) as advance:
        for column in CHANGES:
            pictures = context.renderer.render(purpose, context.engines.engine(column), wanted, advance)
            changed = [
                replace(before, change=0.0) if request is None else _changed_cell(picture, before.image, share)
                for picture, request, before, share in zip(pictures, wanted, unchanged, shares, strict=True)
            ]
            pairs = zip(changed, photographs, strict=True)
            cells += [changed, [None if one is None else Cell(difference_image(one.image, old)) for one, old in pairs]]
    columns = [("Photograph", "Of median activation.", "")]
    for one in CHANGES:
        columns += [(one.name, one.text, one.source), ("Change", "Gray is none; scaled to its largest value.", "")]
    return Sheet("change", columns, context.rows(cells))


def _activations(context: SheetContext, photographs: list[Pixels], vectors: list[Floats]) -> list[float]:
    """Dot products of the activations of photographs with vectors, as pictures are measured."""
    inputs = context.inputs
    network = inputs.patches.load_network(inputs.units.device)
    measure = VectorMeasure(network, inputs.layer, (inputs.settings.size, inputs.settings.size))
    found = []
    with worker_threads():
        for photograph, vector in zip(photographs, vectors, strict=True):
            image, target = (torch.from_numpy(one[None]).to(inputs.units.device) for one in (photograph, vector))
            found.append(float(measure(image, target).scores["activation"][0]))
    return found


def _changed_cell(picture: CachedImage | None, before: Pixels, share: float) -> Cell | None:
    if picture is None:
        return None
    difference = (picture.image.astype(np.float64) - before) / 255
    change = float(np.sqrt(np.mean(difference**2)))
    return Cell(picture.image, (picture.scores["activation"] * share,), change=change)


def difference_image(after: Pixels, before: Pixels) -> Pixels:
    """The difference of two images, scaled to its largest value, on gray.

    Args:
        after: uint8 [y, x, 3].
        before: likewise.
    """
    difference = after.astype(np.float64) - before
    return np.round(127.5 + 127.5 * difference / max(1.0, float(np.abs(difference).max()))).astype(np.uint8)


def _render(
    context: SheetContext, purpose: VectorPurpose, vectors: list[Floats], advance: Progress
) -> list[CachedImage | None]:
    """Pictures of vectors without a prior of statistics."""
    wanted = [VectorRequest(vector.astype(np.float32), np.zeros(0, np.float32)) for vector in vectors]
    engine = Engine(context.engines.settings({"statistics": 0.0}))
    return context.renderer.render(purpose, engine, wanted, advance)
