"""What the page lists as places: those of the configuration, or a tour made from what is stored of the run."""

from collections.abc import Mapping
from typing import Any

import zarr

from pipeline.core import artifacts as a
from pipeline.core.atlases import parse_atlas
from pipeline.core.zarr_store import array, level, open_artifact
from pipeline.site.exemplars import spread_to_cells
from pipeline.site.glimpse import Cells, Glimpse, glimpse, most_of, spot
from pipeline.site.places import configured, known
from pipeline.site.sources import read_attribution, read_membership, values
from pipeline.site.tour import Compared, Followed, Told, tour
from pipeline.stages import Task

Content = dict[str, Any]


def places_content(task: Task, network: Mapping[str, Any], images: int) -> Content:
    """``places``, each with title, text and link, and whether they are ``automatic``.

    Args:
        task: of the stage.
        network: the saved network's description.
        images: of the atlas.

    Raises:
        ConfigError: a configured place names something that the run does not have.
    """
    classes, given = network["classes"], task.params.site.places
    if given:
        return {"automatic": False, "places": configured(given, known(task.params, classes))}
    levels = {layer: _levels(task, layer) for layer in {task.params.layers[0], task.params.layers[-1]}}
    seen = [glimpse(layer, "all", levels[layer]) for layer in (task.params.layers[0], task.params.layers[-1])]
    if seen[0] is None or seen[1] is None:
        return {"automatic": True, "places": []}
    first, last = seen[0], seen[1]
    told = Told(network["name"], classes, images)
    followed = _followed(task, first, levels[last.layer]) if first.layer != last.layer else None
    return {"automatic": True, "places": tour(first, last, followed, _compared(task), told)}


def _levels(task: Task, layer: str) -> list[Cells]:
    """The levels that a glimpse may be of: down to the middle one."""
    grid = open_artifact(a.GRID, task.path(a.GRID, layer, "all"))
    icons = open_artifact(a.ICONS, task.path(a.ICONS, layer, "all"))
    sizes = task.params.grid.for_atlas("all")
    return [_cells(level(grid, size), level(icons, size), size) for size in sizes[: len(sizes) // 2 + 1]]


def _cells(grid: zarr.Group, icons: zarr.Group, size: int) -> Cells:
    count = values(grid, "count")
    return Cells(
        size=size,
        cell=values(grid, "cell"),
        count=count,
        drawn=values(grid, "drawn"),
        attribution=read_attribution(grid, len(count)),
        reliability=values(grid, "reliability"),
        fidelity=spread_to_cells(values(icons, "fidelity_centred"), values(icons, "cell"), len(count)),
    )


def _followed(task: Task, first: Glimpse, levels: list[Cells]) -> Followed | None:
    """The last layer's cell that holds most samples of the first layer's surest one."""
    size, *_ = first.surest.place
    here = read_membership(task, first.layer, "all", [size])
    there = read_membership(task, task.params.layers[-1], "all", [size])
    samples = array(open_artifact(a.ACTIVATIONS, task.path(a.ACTIVATIONS, first.layer)), "image").shape[0]
    found = most_of(here.levels[size], first.surest.index, there.cell_of_sample(size, samples)[here.sample])
    if found is None:
        return None
    cells = next(cells for cells in levels if cells.size == size)
    return Followed(spot(cells, found[0]), found[1])


def _compared(task: Task) -> Compared | None:
    """The first comparison, at the layer where its axis stands for most."""
    name = next((atlas for atlas in task.params.atlases if parse_atlas(atlas).kind == "compare"), None)
    if name is None:
        return None
    found = []
    for layer in task.params.layers:
        layout = open_artifact(a.LAYOUT, task.path(a.LAYOUT, layer, name))
        axis: Any = layout.attrs.get("axis")
        if axis:
            found.append(Compared(layer, name, len(values(layout, "sample")), float(axis["scale"])))
    return max(found, key=lambda compared: compared.scale, default=None)
