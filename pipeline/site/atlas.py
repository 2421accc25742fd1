"""The data files of one atlas of one layer, by name, and its entry in the manifest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.atlas_names import parse_atlas
from pipeline.core.site_data import MEMBERS_PER_BLOCK, images_by_cell, member_blocks, pack_array
from pipeline.site.classes import block_size, heat, strength
from pipeline.site.config import SiteSettings
from pipeline.site.level import (
    Content,
    LevelCells,
    cells_content,
    exemplars_content,
    level_entry,
    neighbours_content,
    planes,
)
from pipeline.site.manifest import atlas_entry
from pipeline.site.membership import Membership, label_counts, shared_cells
from pipeline.site.region_names import names_content, names_level
from pipeline.site.uses import multiple_uses

LINKED = 3  # cells of another layer that a cell is linked to


@dataclass(frozen=True)
class Run:
    """What all atlases of a run share.

    Attributes:
        settings: of the stage.
        label: [image] the network's class, -1 where it is not known.
        classes: how many the network has.
        directions: [class, channel] of the reference layer, see :func:`pipeline.site.uses.class_directions`.
    """

    settings: SiteSettings
    label: NDArray[np.int64]
    classes: int
    directions: NDArray[np.float32]


@dataclass(frozen=True)
class AtlasSource:
    """What is stored of one atlas of one layer.

    Attributes:
        levels: its cells, coarse to fine.
        tiles: what the stage ``tile`` says of its files.
        scale: the largest magnitude of any drawn cell's attribution, logit; 0 without attributions.
        axis: of a comparison.
        image: [sample] row of each sample's image.
        position: [sample, 2] (y, x) in the layer's map.
    """

    levels: tuple[LevelCells, ...]
    tiles: Mapping[str, Any]
    scale: float
    axis: Mapping[str, float] | None
    image: NDArray[np.int64]
    position: NDArray[np.int32]


@dataclass(frozen=True)
class AtlasData:
    """One atlas of one layer, with where its samples lie at every layer."""

    layer: str
    name: str
    members: Mapping[str, Membership]
    run: Run

    @property
    def member(self) -> Membership:
        """Where the samples lie at this layer."""
        return self.members[self.layer]

    def parts(self, source: AtlasSource) -> Iterator[tuple[str, Content]]:
        """Every data file's name below ``<layer>/<atlas>/`` and content."""
        settings = self.run.settings
        for cells in source.levels:
            yield f"{cells.size}/cells", cells_content(cells, settings.top_classes)
            if settings.exemplars:
                content = exemplars_content(cells, source.image, source.position, settings.exemplars)
                yield f"{cells.size}/exemplars", content
            yield f"{cells.size}/links", self._links(cells, len(source.image))
            yield f"{cells.size}/neighbours", neighbours_content(cells)
            if source.scale and self._has_planes(cells, source):
                yield from planes("heat", "heat", cells, heat(cells.attribution, source.scale))
            if self.name == "all":
                yield from self._of_whole(cells, source)
        if (named := self._named(source)) is not None:
            yield "names", names_content(named)
        if settings.exemplars:
            yield from member_blocks(images_by_cell(self.member.finest.of_point, self.member.sample, source.image))

    def entry(self, source: AtlasSource) -> Content:
        """The atlas as the manifest lists it."""
        name = parse_atlas(self.name)
        stored = [
            {"size": cells.size, "classes_per_block": block_size(len(cells.cell))}
            for cells in source.levels
            if self._has_planes(cells, source)
        ]
        strengths = [strength(cells.attribution[cells.drawn]) for cells in source.levels]
        heats = {"levels": stored, "scale": source.scale, "strength": max(strengths)} if source.scale else None
        axis = {key: source.axis[key] for key in ("scale", "clipped")} if source.axis else None
        return {
            **atlas_entry(self.name, [self._level(cells, source) for cells in source.levels], source.tiles, heats),
            "kind": name.kind,
            "classes": list(name.classes),
            "axis": axis,
            "members_per_block": MEMBERS_PER_BLOCK,
            "names": self._named(source) is not None,
            "label_levels": stored if self.name == "all" and self._has_labels else [],
        }

    def shown(self, source: AtlasSource) -> NDArray[np.int64]:
        """Rows of the images that some cell's exemplar comes from, each once."""
        exemplar = [cells.exemplar[:, : self.run.settings.exemplars].ravel() for cells in source.levels]
        every = np.unique(np.concatenate(exemplar))
        return np.unique(source.image[every[every >= 0]])

    @property
    def _has_labels(self) -> bool:
        return bool((self.run.label >= 0).any())

    def _has_planes(self, cells: LevelCells, source: AtlasSource) -> bool:
        """Whether a level has values of its own for every class; finer ones show those of the cells around them."""
        return cells.size <= self.run.settings.heat_level or cells is source.levels[0]

    def _named(self, source: AtlasSource) -> LevelCells | None:
        """The level whose regions have names; None where nothing speaks for a class, or all levels are too fine."""
        return names_level(source.levels) if source.scale else None

    def _level(self, cells: LevelCells, source: AtlasSource) -> Content:
        return level_entry(cells, **source.tiles["levels"][str(cells.size)])

    def _of_whole(self, cells: LevelCells, source: AtlasSource) -> Iterator[tuple[str, Content]]:
        """What is told of the atlas of all samples alone: cells of several uses, and where each label's images fall."""
        if source.scale:
            uses = multiple_uses(cells.attribution, cells.drawn, self.run.directions)
            yield (
                f"{cells.size}/uses",
                {
                    "cell": pack_array(uses.cell),
                    "first": pack_array(uses.classes[:, 0]),
                    "second": pack_array(uses.classes[:, 1]),
                    "first_value": pack_array(uses.value[:, 0]),
                    "second_value": pack_array(uses.value[:, 1]),
                    "distance": pack_array(uses.distance),
                    "score": pack_array(uses.score),
                },
            )
        if self._has_labels and self._has_planes(cells, source):
            label = self.run.label[source.image[self.member.sample]]
            count = label_counts(self.member.levels[cells.size], label, self.run.classes)
            yield from planes("label", "count", cells, count)

    def _links(self, cells: LevelCells, samples: int) -> Content:
        others = {layer: member for layer, member in self.members.items() if layer != self.layer}
        cell = np.full((len(cells.cell), len(others), LINKED), -1)
        share = np.zeros(cell.shape, np.float32)
        for index, member in enumerate(others.values()):
            there = member.cell_of_sample(cells.size, samples)[self.member.sample]
            known = len(member.levels[cells.size].cell)
            cell[:, index], share[:, index] = shared_cells(self.member.levels[cells.size], there, known, LINKED)
        return {"layers": list(others), "cell": pack_array(cell), "share": pack_array(share)}
