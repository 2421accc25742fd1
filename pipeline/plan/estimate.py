"""The rows of a plan: one for each stage, layer and atlas, and the sums that led to its numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.plan import counts, hours, memory, sums, volume
from pipeline.plan.counts import LevelCount
from pipeline.plan.given import Rates, Sizes


@dataclass(frozen=True)
class Estimate:
    """What one execution of a stage takes.

    Attributes:
        stage: its name.
        layer, atlas: of this execution; empty where the stage runs once for all of them.
        count: how many things it makes.
        unit: what they are.
        disk: bytes that it leaves, before compression.
        memory: bytes that its process holds at most.
        seconds: for each number of GPUs.
        sums: how the numbers come about, line by line.
    """

    stage: str
    layer: str
    atlas: str
    count: int
    unit: str
    disk: int
    memory: int
    seconds: tuple[float, ...]
    sums: tuple[str, ...]


def estimates(sizes: Sizes, rates: Rates, gpus: Sequence[int]) -> list[Estimate]:
    """All rows, in the order in which the stages run."""
    each = [(layer, atlas) for layer in sizes.channels for atlas in sizes.params.atlases]
    levels = {atlas: counts.level_counts(sizes, atlas) for atlas in sizes.params.atlases}
    return [
        _prepare(sizes, rates, gpus),
        *_sample(sizes, rates, gpus),
        *(_reduce(sizes, rates, gpus, *one) for one in each),
        *(_grid(sizes, rates, gpus, *one, levels[one[1]]) for one in each),
        *(_render(sizes, rates, gpus, *one, levels[one[1]]) for one in each),
        *(_tile(sizes, rates, gpus, *one, levels[one[1]]) for one in each),
        _site(sizes, rates, gpus),
    ]


def _prepare(sizes: Sizes, rates: Rates, gpus: Sequence[int]) -> Estimate:
    seconds = hours.prepare(sizes, rates)
    lines = (sums.prepare(sizes, rates, seconds),)
    held = memory.prepare(sizes, rates)
    return Estimate(
        "prepare", "", "", sizes.images, "images", volume.prepare(sizes), held, (seconds,) * len(gpus), lines
    )


def _sample(sizes: Sizes, rates: Rates, gpus: Sequence[int]) -> Iterator[Estimate]:
    """One row for the pass over the images, and one for what it leaves of each layer."""
    seconds = hours.sample(sizes, rates, gpus)
    lines = sums.sample(sizes, rates, gpus, seconds)
    yield Estimate("sample", "", "", sizes.images, "images", 0, memory.sample(sizes, rates), seconds, lines)
    for layer in sizes.channels:
        disk = volume.sample(sizes, layer)
        yield Estimate("sample", layer, "", sizes.samples, "samples", disk, 0, (), (sums.rows(sizes, layer, disk),))


def _reduce(sizes: Sizes, rates: Rates, gpus: Sequence[int], layer: str, atlas: str) -> Estimate:
    found, seconds = counts.points(sizes, atlas), hours.reduce(sizes, rates, atlas)
    disk, held = volume.reduce(sizes, atlas), memory.reduce(sizes, rates, layer, atlas)
    lines = sums.reduce(sizes, rates, atlas, seconds)
    return Estimate("reduce", layer, atlas, found, "points", disk, held, (seconds,) * len(gpus), lines)


def _grid(
    sizes: Sizes, rates: Rates, gpus: Sequence[int], layer: str, atlas: str, levels: list[LevelCount]
) -> Estimate:
    cells, seconds = sum(level.occupied for level in levels), hours.grid(sizes, rates, layer, atlas)
    disk = volume.grid(sizes, layer, levels)
    held = memory.grid(sizes, rates, layer, levels, counts.points(sizes, atlas))
    lines = sums.grid(sizes, rates, layer, atlas, levels, seconds)
    return Estimate("grid", layer, atlas, cells, "cells", disk, held, (seconds,) * len(gpus), lines)


def _render(
    sizes: Sizes, rates: Rates, gpus: Sequence[int], layer: str, atlas: str, levels: list[LevelCount]
) -> Estimate:
    found, disk = counts.icons(levels), volume.render(sizes, layer, levels)
    held = memory.render(sizes, rates, layer, levels, rates.drawing[layer])
    seconds = hours.render(sizes, rates, layer, levels, gpus)
    lines = sums.render(sizes, rates, layer, levels, gpus, seconds)
    return Estimate("render", layer, atlas, found, "icons", disk, held, seconds, lines)


def _tile(
    sizes: Sizes, rates: Rates, gpus: Sequence[int], layer: str, atlas: str, levels: list[LevelCount]
) -> Estimate:
    side, found = volume.tile_side(sizes, layer), counts.icons(levels)
    seconds, disk = hours.tile(levels, side, rates), volume.tile(sizes, layer, levels)
    lines = (sums.tile(sizes, levels, side, rates, disk, seconds),)
    return Estimate("tile", layer, atlas, found, "icons", disk, rates.memory, (seconds,) * len(gpus), lines)


def _site(sizes: Sizes, rates: Rates, gpus: Sequence[int]) -> Estimate:
    found, disk = volume.pictures(sizes), volume.site(sizes)
    seconds, held = hours.site(found, rates), memory.site(sizes, rates)
    lines = sums.site(sizes, found, rates, disk, seconds)
    return Estimate("site", "", "", found, "pictures", disk, held, (seconds,) * len(gpus), lines)
