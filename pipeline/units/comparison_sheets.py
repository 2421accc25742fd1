"""Comparison sheets: the same units optimized in different ways, and the images between two units."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.config.units import SheetName
from pipeline.featurevis.cache import CachedImage
from pipeline.units.picture_renderer import Engine
from pipeline.units.pictures import PictureRequest, UnitPurpose
from pipeline.units.sheet_columns import EQUAL, SHEETS, Column, Start
from pipeline.units.sheet_context import Progress, SheetContext, cosine
from pipeline.units.sheets import Cell, Row, Sheet

Pixels = NDArray[np.uint8]

FRAMES = 5  # of an interpolation


def comparison_sheet(context: SheetContext, name: SheetName) -> Sheet:
    """The units in the columns that :data:`pipeline.units.sheet_columns.SHEETS` has for a sheet."""
    inputs = context.inputs
    missing = {None: False, "photographs": not inputs.units.examples, "statistics": context.prior is None}
    columns = [column for column in SHEETS[name] if not missing[column.needs]]
    with context.progress(name, len(columns) * len(context.units)) as advance:
        found = [_pictures(context, column, advance) for column in columns]
    cells = [_cells(context, pictures) for pictures in found]
    rows = []
    for row, unit in enumerate(context.units):
        pictures = [column[row] for column in found]
        rows.append(Row((inputs.channels[unit],), "", [column[row] for column in cells], _distance(pictures)))
    return Sheet(name, [(one.name, one.text, one.source) for one in columns], rows)


def _pictures(context: SheetContext, column: Column, advance: Progress) -> list[CachedImage | None]:
    """The pictures of a column, of all units that are active."""
    inputs = context.inputs
    engine = context.engines.engine(column)
    prior = context.prior if engine.settings.statistics else None
    purpose = UnitPurpose(inputs.layer, inputs.units.objective, prior, limit=_limit(context, column))
    wanted = [
        PictureRequest(
            inputs.channels[unit],
            context.weight(unit),
            context.mean_statistics[unit] if prior else np.zeros(0, np.float32),
            number=column.noise,
            parent=_parent(context, column.start, unit),
        )
        for unit in context.units
    ]
    return context.renderer.render(purpose, engine, wanted, advance)


def _limit(context: SheetContext, column: Column) -> float | None:
    if not column.equal:
        return None
    share = 0.5 if context.inputs.units.objective == "probability" else EQUAL
    return share * context.inputs.units.weight


def _parent(context: SheetContext, start: Start, unit: int) -> Pixels | None:
    """The image that a picture starts from; None for noise."""
    if start == "noise":
        return None
    if start == "photograph":
        return context.photograph(unit)
    size = context.inputs.settings.size
    color = {"zero": context.inputs.network.preprocessing.mean, "gray": (0.5,) * 3, "black": (0.0,) * 3}[start]
    return np.broadcast_to(np.round(np.array(color) * 255).astype(np.uint8), (size, size, 3)).copy()


def _cells(context: SheetContext, pictures: Sequence[CachedImage | None]) -> list[Cell | None]:
    """The cells of a column, one for each active unit."""
    recognized = context.recognized(pictures)
    found: list[Cell | None] = []
    for row, (unit, picture) in enumerate(zip(context.units, pictures, strict=True)):
        if picture is None:
            found.append(None)
            continue
        activation = picture.scores["activation"] / context.high[unit]
        fidelity = context.fidelity(picture, context.exemplars[unit])
        found.append(Cell(picture.image, (activation,), fidelity, recognized[row]))
    return found


def interpolation_sheet(context: SheetContext) -> Sheet:
    """Pairs of units, from all of the first to all of the second, with and without alignment."""
    inputs, position = context.inputs, {channel: unit for unit, channel in enumerate(context.inputs.channels)}
    pairs = [
        pair
        for pair in inputs.units.chosen_pairs(inputs.layer, inputs.channels)
        if all(context.high[position[channel]] > 0 for channel in pair)
    ]
    shares = np.linspace(0, 1, FRAMES)
    rows = []
    with context.progress("interpolation", 2 * FRAMES * len(pairs)) as advance:
        for alignment in (inputs.units.alignment / context.mean_square, 0.0):
            purpose = UnitPurpose(
                inputs.layer,
                inputs.units.objective,
                context.prior,
                pairs=True,
                alignment=alignment,
                compared_layer=inputs.map_layer,
            )
            wanted = [_between(context, pair, share, position) for pair in pairs for share in shares]
            if not alignment:
                wanted = [replace(one, group=None) for one in wanted]
            found = context.renderer.render(purpose, Engine(context.engines.settings({})), wanted, advance)
            for number, pair in enumerate(pairs):
                pictures = found[number * FRAMES : (number + 1) * FRAMES]
                cells = [_pair_cell(context, picture, pair, position) for picture in pictures]
                rows.append(Row(pair, "aligned" if alignment else "independent", cells, _neighbors(pictures)))
    rows.sort(key=lambda row: pairs.index((row.channels[0], row.channels[1])))
    columns = [(f"{share:.0%}", f"Share of the second unit: {share:.0%}.", "") for share in shares]
    return Sheet("interpolation", columns, rows)


def _between(context: SheetContext, pair: tuple[int, int], share: float, position: Mapping[int, int]) -> PictureRequest:
    first, second = (position[channel] for channel in pair)
    statistics = (1 - share) * context.mean_statistics[first] + share * context.mean_statistics[second]
    return PictureRequest(
        pair[0],
        float(1 - share) * context.weight(first),
        statistics.astype(np.float32),
        group=pair,
        other=(pair[1], float(share) * context.weight(second)),
    )


def _pair_cell(
    context: SheetContext, picture: CachedImage | None, pair: tuple[int, int], position: Mapping[int, int]
) -> Cell | None:
    if picture is None:
        return None
    reached = (picture.scores["activation"], picture.scores["other_activation"])
    high = [context.high[position[channel]] for channel in pair]
    return Cell(picture.image, tuple(value / most for value, most in zip(reached, high, strict=True)))


def _distance(pictures: Sequence[CachedImage | None]) -> tuple[float, float] | None:
    """Mean difference between two pictures; see :class:`pipeline.units.sheets.Row`."""
    return _mean_distance(combinations([one for one in pictures if one is not None], 2))


def _neighbors(pictures: Sequence[CachedImage | None]) -> tuple[float, float] | None:
    """Mean difference between neighbors."""
    neighbors = pairwise(pictures)
    return _mean_distance((one, other) for one, other in neighbors if one is not None and other is not None)


def _mean_distance(pairs: Iterable[tuple[CachedImage, CachedImage]]) -> tuple[float, float] | None:
    found = []
    for one, other in pairs:
        difference = (one.image.astype(np.float64) - other.image) / 255
        pixels = float(np.sqrt(np.mean(difference**2)))
        found.append((pixels, 1 - cosine(one.activation, other.activation)))
    if not found:
        return None
    pixels, activation = np.mean(found, axis=0).tolist()
    return pixels, activation
