"""The page's bookmarks: those of the configuration, or an automatic tour with captions from the run's statistics.

The tour starts at the layer that the page opens on. It names a cell only where the verdict does
(:mod:`pipeline.site.verdict`), so that a caption and the panel beside it say the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core import artifacts as a
from pipeline.core.atlas_names import parse_atlas
from pipeline.core.grid_levels import GridLevel, grid_level, icon_level
from pipeline.core.progress import counted
from pipeline.core.zarr_store import array, open_artifact
from pipeline.site.bookmarks import Bookmark, configured_bookmarks, format_link, link_targets
from pipeline.site.cell_data import largest_share, top_class
from pipeline.site.initial_layer import deepest_last
from pipeline.site.read_artifacts import read_sample_cells, read_values
from pipeline.site.verdict import Naming
from pipeline.stages import Task

VIEW_CELLS = 9  # cells along the shorter side of the viewport around a pinned cell
FULL = 0.75  # quantile of the drawn cells' sample counts; cells with fewer samples are not considered


@dataclass(frozen=True, eq=False)
class TourLevel:
    """A grid level.

    Attributes:
        grid: its cells.
        fidelity: [cell] centered, of their icons; NaN without one.
        naming: which classes may name each cell; None without attributions.
    """

    grid: GridLevel
    fidelity: NDArray[np.float32]
    naming: Naming | None


@dataclass(frozen=True)
class CellStats:
    """A drawn cell.

    Attributes:
        index: among the cells of its level.
        address: level, row, column.
        samples: number of samples.
        reliability, fidelity: of the cell; the latter centered; NaN where it is not known.
        class_: the top class by attribution, -1 where no class may name the cell.
        value: that attribution, logit.
        rival: the largest of the classes that cannot be told from it, -1 for none.
    """

    index: int
    address: tuple[int, int, int]
    samples: int
    reliability: float
    fidelity: float
    class_: int
    value: float
    rival: int


@dataclass(frozen=True)
class AtlasStats:
    """Statistics of one atlas at one layer.

    Attributes:
        layer: of it.
        atlas: its name.
        samples: in all its cells.
        drawn: cells of the level that the statistics are taken from.
        most_reliable: see :func:`most_reliable`.
        strongest: the cell with the largest attribution of all, None where no class names a cell.
        led: drawn cells that the strongest cell's class names.
    """

    layer: str
    atlas: str
    samples: int
    drawn: int
    most_reliable: CellStats
    strongest: CellStats | None
    led: int


@dataclass(frozen=True)
class RunFacts:
    """What all captions share.

    Attributes:
        network: its name.
        classes: their names by index.
        images: number of images of the atlas.
    """

    network: str
    classes: Sequence[str]
    images: int


@dataclass(frozen=True)
class SharedCell:
    """Another layer's cell that holds most samples of the most reliable cell of the layer that the tour starts at.

    Attributes:
        layer: the other one.
        deepest: whether it is the deepest of the run.
        cell: of it.
        share: of the samples.
    """

    layer: str
    deepest: bool
    cell: CellStats
    share: float


@dataclass(frozen=True)
class Comparison:
    """A comparison at the layer with the largest axis scale.

    Attributes:
        layer: that layer.
        atlas: name of the comparison.
        samples: in it.
        scale: attribution difference at the right edge, logit.
    """

    layer: str
    atlas: str
    samples: int
    scale: float


def given_bookmarks(task: Task, network: Mapping[str, Any]) -> list[Bookmark]:
    """The bookmarks of the configuration; empty without any.

    Args:
        task: of the stage.
        network: the saved network's description.

    Raises:
        ConfigError: one names something that does not exist in the run.
    """
    given = task.params.site.bookmarks
    return configured_bookmarks(given, link_targets(task.params, network["classes"])) if given else []


def automatic_tour(
    task: Task, network: Mapping[str, Any], images: int, start: str, names: Mapping[str, Mapping[int, Naming]]
) -> list[Bookmark]:
    """The stops of a tour made from the run's statistics; none where the layer it starts at has no icon.

    Args:
        task: of the stage.
        network: the saved network's description.
        images: number of images of the atlas.
        start: the layer that the page opens on.
        names: by layer and by level of its atlas of all samples, which classes may name each cell.
    """
    layers = deepest_last(task.params.layers, network["layers"])
    other = layers[-1] if layers[-1] != start else layers[0]
    levels = {layer: _read_levels(task, layer, names[layer]) for layer in {start, other}}
    first = atlas_stats(start, "all", levels[start])
    if first is None:
        return []
    there = atlas_stats(other, "all", levels[other])
    shared = None
    if there is not None and other != start:
        shared = _shared_cell(task, first, other, other == layers[-1], levels[other])
    facts = RunFacts(network["name"], network["classes"], images)
    return tour(first, shared, _comparison(task), facts)


def tour(
    first: AtlasStats, shared: SharedCell | None, comparison: Comparison | None, facts: RunFacts
) -> list[Bookmark]:
    """The stops: a whole layer, a cell, its samples at another layer, a class, a comparison.

    Args:
        first: the atlas of all samples at the layer that the tour starts at.
        shared: None where there is one layer only.
        comparison: None without comparisons.
        facts: what all captions share.
    """
    stops = [_whole_stop(first, facts), _cell_stop(first, facts)]
    if shared:
        stops.append(_shared_stop(first, shared, facts))
    if first.strongest:
        stops.append(_class_stop(first, first.strongest, facts))
    if comparison:
        stops.append(_comparison_stop(comparison, facts))
    return stops


def _read_levels(task: Task, layer: str, names: Mapping[int, Naming]) -> list[TourLevel]:
    """The levels that statistics may be taken from: the coarser half and the middle one, whose cells are full."""
    grid = open_artifact(a.GRID, task.path(a.GRID, layer, "all"))
    icons = open_artifact(a.ICONS, task.path(a.ICONS, layer, "all"))
    sizes = task.params.grid.for_atlas("all")
    found = []
    for size in sizes[: len(sizes) // 2 + 1]:
        cells, icon = grid_level(grid, size), icon_level(icons, size)
        found.append(TourLevel(cells, icon.by_cell(icon.fidelity_centred, len(cells)), names.get(size)))
    return found


def _shared_cell(
    task: Task, first: AtlasStats, layer: str, deepest: bool, levels: Sequence[TourLevel]
) -> SharedCell | None:
    """Another layer's cell that holds most samples of the first one's most reliable cell."""
    size, *_ = first.most_reliable.address
    here = read_sample_cells(task, first.layer, "all", [size])
    there = read_sample_cells(task, layer, "all", [size])
    samples = array(open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS, first.layer)), "image").shape[0]
    found = largest_share(
        here.levels[size], first.most_reliable.index, there.cell_of_sample(size, samples)[here.sample]
    )
    if found is None:
        return None
    level = next(level for level in levels if level.grid.size == size)
    return SharedCell(layer, deepest, cell_stats(level, found[0]), found[1])


def _comparison(task: Task) -> Comparison | None:
    """The first comparison, at the layer with the largest axis scale."""
    name = next((atlas for atlas in task.params.atlases if parse_atlas(atlas).kind == "compare"), None)
    if name is None:
        return None
    found = []
    for layer in task.params.layers:
        layout = open_artifact(a.LAYOUT, task.path(a.LAYOUT, layer, name))
        axis: Any = layout.attrs.get("axis")
        if axis:
            found.append(Comparison(layer, name, len(read_values(layout, "sample")), float(axis["scale"])))
    return max(found, key=lambda comparison: comparison.scale, default=None)


def atlas_stats(layer: str, atlas: str, levels: Sequence[TourLevel]) -> AtlasStats | None:
    """Statistics of the finest of these levels that has drawn cells; None without any.

    Args:
        layer: of the atlas.
        atlas: its name.
        levels: coarse to fine.
    """
    level = next((level for level in reversed(levels) if level.grid.drawn.any()), None)
    if level is None:
        return None
    grid = level.grid
    largest = grid.attribution.max(axis=1, initial=0.0)
    named = grid.drawn & (level.naming.named if level.naming else False)
    strongest = cell_stats(level, int(np.where(named, largest, -1.0).argmax())) if named.any() else None
    led = named & (top_class(grid.attribution) == strongest.class_) if strongest else named
    return AtlasStats(
        layer=layer,
        atlas=atlas,
        samples=int(grid.count.sum()),
        drawn=int(grid.drawn.sum()),
        most_reliable=cell_stats(level, most_reliable(level)),
        strongest=strongest,
        led=int(led.sum()),
    )


def cell_stats(level: TourLevel, index: int) -> CellStats:
    """Statistics of the cell of this index."""
    grid = level.grid
    row, column = (int(value) for value in grid.cell[index])
    order = np.argsort(-grid.attribution[index], kind="stable")
    candidates = np.flatnonzero(level.naming.candidate[index]) if level.naming else order[:0]
    return CellStats(
        index=index,
        address=(grid.size, row, column),
        samples=int(grid.count[index]),
        reliability=float(grid.reliability[index]),
        fidelity=float(level.fidelity[index]),
        class_=int(order[0]) if len(candidates) else -1,
        value=float(grid.attribution[index].max(initial=0.0)),
        rival=int(order[candidates[1]]) if len(candidates) > 1 else -1,
    )


def most_reliable(level: TourLevel) -> int:
    """The index of the most reliable cell: one with many samples, a reliable mean and a faithful icon.

    Of the fullest quarter of the drawn cells it is the one with the largest minimum of reliability and centered
    fidelity. Unknown values are left out; of ties the first is taken.
    """
    grid = level.grid
    full = grid.drawn & (grid.count >= np.quantile(grid.count[grid.drawn], FULL))
    score = np.nan_to_num(np.fmin(grid.reliability, level.fidelity), nan=-2.0)
    return int(np.where(full, score, -3.0).argmax())


def _whole_stop(stats: AtlasStats, facts: RunFacts) -> Bookmark:
    text = (
        f"{counted(stats.samples, 'sample')} from {counted(facts.images, 'image')}, laid out by the similarity of "
        f"{facts.network}'s activations at this layer. Each icon is optimized to produce the mean activation of the "
        "samples in its cell; cells that are close together have similar activations."
    )
    return {"title": f"All of {stats.layer}", "text": text, "link": format_link({"layer": stats.layer})}


def _cell_stop(stats: AtlasStats, facts: RunFacts) -> Bookmark:
    cell = stats.most_reliable
    known = []
    if not isnan(cell.reliability):
        known.append(
            f"the mean activations of two halves of its images agree (reliability {_decimal(cell.reliability)})"
        )
    if not isnan(cell.fidelity):
        known.append(f"its icon produces a similar activation (centered fidelity {_decimal(cell.fidelity)})")
    scores = f": {', and '.join(known)}" if known else ""
    text = (
        f"{counted(cell.samples, 'sample')}. The most reliable of the layer's fullest cells{scores}. "
        f"{_top_class(cell, facts)}"
    )
    return {"title": "Most reliable cell", "text": text.strip(), "link": _cell_link(stats.layer, cell)}


def _shared_stop(stats: AtlasStats, shared: SharedCell, facts: RunFacts) -> Bookmark:
    where = "the deepest layer" if shared.deepest else "an earlier layer"
    text = (
        f"At {shared.layer}, {where} of this atlas, {_percent(shared.share)} of those "
        f"{counted(stats.most_reliable.samples, 'sample')} lie in this cell, more than in any other. "
        f"{_top_class(shared.cell, facts)}"
    )
    title = f"The same samples at {where}"
    return {"title": title, "text": text.strip(), "link": _cell_link(shared.layer, shared.cell)}


def _class_stop(stats: AtlasStats, strongest: CellStats, facts: RunFacts) -> Bookmark:
    name = _name(strongest.class_, facts)
    text = (
        f"{name} has the largest attribution of all classes at {stats.layer}: {_signed(strongest.value)} logit in its "
        f"strongest cell. It names {stats.led} of {counted(stats.drawn, 'cell')}. The brighter a cell, the larger its "
        "attribution to the class."
    )
    parts = {"layer": stats.layer, "class": str(strongest.class_)}
    return {"title": f"Attribution to {_short(name)}", "text": text, "link": format_link(parts)}


def _comparison_stop(comparison: Comparison, facts: RunFacts) -> Bookmark:
    left, right = (_name(class_, facts) for class_ in parse_atlas(comparison.atlas).classes)
    text = (
        f"{counted(comparison.samples, 'sample')} of {left} and of {right}. The further to the right, the larger the "
        f"attribution to {right} minus that to {left}; it is {_signed(comparison.scale)} logit at the right edge."
    )
    parts = {"layer": comparison.layer, "atlas": comparison.atlas}
    return {"title": f"{_short(left)} or {_short(right)}?", "text": text, "link": format_link(parts)}


def _cell_link(layer: str, cell: CellStats) -> str:
    size, row, column = cell.address
    view = ((column + 0.5) / size, (row + 0.5) / size, min(VIEW_CELLS / size, 1.0))
    return format_link(
        {
            "layer": layer,
            "level": str(size),
            "pin": ".".join(map(str, cell.address)),
            "view": ",".join(f"{number:.4f}" for number in view),
        }
    )


def _top_class(cell: CellStats, facts: RunFacts) -> str:
    if cell.class_ < 0:
        return ""
    of = f"Top class (mean attribution): {_name(cell.class_, facts)} ({_signed(cell.value)} logit)"
    return f"{of}, not told from {_name(cell.rival, facts)} by its images." if cell.rival >= 0 else f"{of}."


def _name(class_: int, facts: RunFacts) -> str:
    return facts.classes[class_] if class_ < len(facts.classes) else f"class {class_}"


def _short(name: str, most: int = 24) -> str:
    """A name that fits a title."""
    return name if len(name) <= most else f"{name[: most - 1].rstrip()}…"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%" if share >= 0.01 else "under 1\u00a0%"


def _decimal(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _signed(value: float) -> str:
    """Small values keep two significant digits."""
    size = abs(value)
    text = f"{size:.2f}" if size >= 0.1 else f"{size:#.2g}"
    return f"{'−' if value < 0 else '+'}{text}"
