"""How many points, cells and icons a run has."""

from dataclasses import dataclass

from pipeline.core.atlas_names import parse_atlas
from pipeline.plan.given import Sizes


@dataclass(frozen=True)
class LevelCount:
    """Cells of one grid level.

    Attributes:
        size: cells a side.
        occupied: cells that hold a point.
        drawn: cells that hold enough points for an icon.
        warm: whether its icons start from those of the level before.
    """

    size: int
    occupied: int
    drawn: int
    warm: bool


def points(sizes: Sizes, atlas: str) -> int:
    """Samples of an atlas; of a class no more than its filters let through, as all classes were alike.

    ``rank`` takes each sample for one class, ``magnitude`` its ``top``; ``both`` at most what the two take together.
    """
    classes = len(parse_atlas(atlas).classes)
    if not classes:
        return sizes.samples
    selection = sizes.params.selection
    ranked = round(sizes.samples / max(sizes.classes, 1))
    each = {"rank": ranked, "magnitude": selection.top, "both": ranked + selection.top}[selection.filter]
    return min(sizes.samples, classes * each)


def laid_out(sizes: Sizes, atlas: str) -> int:
    """Points that a layout is made of; any others are placed among them."""
    found = points(sizes, atlas)
    return min(found, sizes.params.reduce.fit_samples or found)


def level_counts(sizes: Sizes, atlas: str) -> list[LevelCount]:
    """Cells of each level of an atlas, coarse to fine."""
    settings, found = sizes.params.grid, points(sizes, atlas)
    warm = sizes.params.render.warm_steps is not None
    return [
        LevelCount(
            size=size,
            occupied=min(reached(size, sizes.fill), found),
            drawn=min(reached(size, sizes.fill), found // settings.min_count),
            warm=warm and index > 0,
        )
        for index, size in enumerate(settings.for_atlas(atlas))
    ]


def reached(size: int, fill: float) -> int:
    """Cells of a level of ``size`` × ``size`` that a layout reaches."""
    return round(size * size * fill)


def icons(levels: list[LevelCount]) -> int:
    """Icons of all levels of an atlas."""
    return sum(level.drawn for level in levels)


def icon_steps(levels: list[LevelCount], steps: int, warm_steps: int | None) -> int:
    """Gradient steps of all icons: ``steps`` for each that starts from noise, ``warm_steps`` for each other.

    Icons whose cell has just the points of its parent's take none, and those that go astray start again; both are few.
    """
    return sum(level.drawn * ((warm_steps or steps) if level.warm else steps) for level in levels)
