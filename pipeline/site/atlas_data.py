"""The data files of one atlas of one layer, by name, and its entry in the manifest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config.site import SiteSettings
from pipeline.core.atlas_names import parse_atlas
from pipeline.core.moments import row_blocks
from pipeline.core.site_data import MEMBERS_PER_BLOCK, images_by_cell, member_blocks, pack_array
from pipeline.images.crops import CropSize
from pipeline.parallel.process import single_threaded_blas
from pipeline.site.cell_data import (
    RANKS,
    SampleCells,
    attribution_strength,
    exemplar_positions,
    label_counts,
    planes_per_block,
    shared_cells,
    top_classes,
)
from pipeline.site.channels import ChannelScale, channel_files
from pipeline.site.manifest import atlas_entry, level_entry
from pipeline.site.names import NO_NAMES, AtlasNames, Grouping, LabelLift, candidates_of_groups, over_represented
from pipeline.site.photographs import photograph_pixels
from pipeline.site.polysemantic_cells import polysemantic_cells
from pipeline.site.read_artifacts import AtlasLevel, AtlasSource, CellIcons
from pipeline.site.regions import Regions, find_regions, regions_level
from pipeline.site.samples import FILE as SAMPLES
from pipeline.site.samples import samples_content
from pipeline.site.verdict import Naming, naming

Content = dict[str, Any]

LINKED = 3  # cells of another layer that a cell is linked to


@dataclass(frozen=True)
class Run:
    """Data that all atlases of a run share.

    Attributes:
        settings: of the stage.
        seed: of the run.
        label: [image] the network's class, -1 where it is not known.
        classes: number of the network's classes.
        profiles: of each layer, [class, cell], see :func:`pipeline.site.polysemantic_cells.class_profiles`.
    """

    settings: SiteSettings
    seed: int
    label: NDArray[np.int64]
    classes: int
    profiles: tuple[NDArray[np.float32], ...]


@dataclass(frozen=True)
class AtlasData:
    """One atlas of one layer.

    Attributes:
        layer, name: of it.
        sample_cells: by layer, the cells of the atlas's samples.
        patch: size of the layer's patches.
        run: data that all atlases share.
        scale: of the layer's channels.
    """

    layer: str
    name: str
    sample_cells: Mapping[str, SampleCells]
    patch: CropSize
    run: Run
    scale: ChannelScale

    @property
    def own(self) -> SampleCells:
        """The cells of the samples at this layer."""
        return self.sample_cells[self.layer]

    def names(self, source: AtlasSource) -> AtlasNames:
        """What supports the names of the cells and regions."""
        labels: dict[int, LabelLift] = {}
        for level in source.levels if self._has_labels else ():
            if self._has_planes(level, source):
                labels[level.size] = over_represented(self._label_counts(level, source))
        if source.attribution is None:
            return AtlasNames({}, labels, None, NO_NAMES)
        none = np.zeros(self.run.classes)
        tops = [top_classes(level.grid.attribution, RANKS) for level in source.levels]
        groupings = [
            Grouping(self.own.levels[level.size].of_point, top, none)
            for level, (top, _) in zip(source.levels, tops, strict=True)
        ]
        regions, level_of_regions = None, self._regions_level(source)
        if level_of_regions is not None:
            regions = regions_of(level_of_regions)
            drawn = np.flatnonzero(level_of_regions.grid.drawn)
            for cut in np.unique(regions.cut):
                of_cell = np.full(len(level_of_regions.grid), -1)
                of_cell[drawn] = regions.of_cell(cut, len(drawn))
                of_point = of_cell[self.own.levels[level_of_regions.size].of_point]
                groupings.append(Grouping(of_point, regions.top, regions.average))
        image = source.image[self.own.sample]
        found = candidates_of_groups(groupings, row_blocks(source.attribution), self.own.sample, image)
        cells = {
            level.size: naming(alike, value)
            for level, alike, (_, value) in zip(source.levels, found[: len(tops)], tops, strict=True)
        }
        if regions is None:
            return AtlasNames(cells, labels, None, NO_NAMES)
        alike_of_region = np.ones(regions.top.shape, bool)
        for cut, own in zip(np.unique(regions.cut), found[len(cells) :], strict=True):
            alike_of_region[regions.cut == cut] = own[regions.cut == cut]
        return AtlasNames(cells, labels, regions, naming(alike_of_region, regions.excess))

    def files(self, source: AtlasSource, names: AtlasNames) -> Iterator[tuple[str, Content]]:
        """Name below ``<layer>/<atlas>/`` and content of every data file."""
        settings = self.run.settings
        for level in source.levels:
            yield f"{level.size}/cells", cells_content(level, settings.top_classes, names)
            if settings.exemplars:
                content = exemplars_content(level, source.image, source.position, settings.exemplars)
                yield f"{level.size}/exemplars", content
            yield f"{level.size}/links", self._links(level, len(source.image))
            yield f"{level.size}/neighbors", neighbors_content(level)
            planes = self._has_channel_planes(level, source)
            yield from channel_files(level.size, level.grid.activation, self.scale, planes)
            for style in source.styles[1:]:
                yield f"{level.size}/icons-{style}", icons_content(level.icons[style])
            if source.scale and self._has_planes(level, source):
                yield from plane_blocks("heatmap", "heatmap", level, level.grid.attribution.T)
            if self.name == "all":
                yield from self._whole_atlas_files(level, source)
        if (level_of_regions := self._regions_level(source)) is not None and names.regions is not None:
            yield "regions", regions_content(level_of_regions, names.regions, names.of_region)
        yield SAMPLES, self._samples(source)
        if settings.exemplars:
            yield from member_blocks(images_by_cell(self.own.finest.of_point, self.own.sample, source.image))

    def entry(self, source: AtlasSource) -> Content:
        """The atlas's entry in the manifest."""
        name = parse_atlas(self.name)
        stored = [
            {"size": level.size, "classes_per_block": planes_per_block(len(level.grid))}
            for level in source.levels
            if self._has_planes(level, source)
        ]
        strengths = [attribution_strength(level.grid.attribution[level.grid.drawn]) for level in source.levels]
        heatmap = {"levels": stored, "scale": source.scale, "strength": max(strengths)} if source.scale else None
        axis = {key: source.axis[key] for key in ("scale", "clipped")} if source.axis else None
        return {
            **atlas_entry(self.name, [self._level(level, source) for level in source.levels], source.tiles, heatmap),
            "styles": list(source.styles),
            "kind": name.kind,
            "classes": list(name.classes),
            "axis": axis,
            "members_per_block": MEMBERS_PER_BLOCK,
            "regions": self._regions_level(source) is not None,
            "label_levels": stored if self.name == "all" and self._has_labels else [],
        }

    def exemplar_images(self, source: AtlasSource) -> NDArray[np.int64]:
        """Rows of the images that some cell's exemplar comes from, each once."""
        exemplar = [level.grid.exemplar[:, : self.run.settings.exemplars].ravel() for level in source.levels]
        every = np.unique(np.concatenate(exemplar))
        return np.unique(source.image[every[every >= 0]])

    @property
    def _has_labels(self) -> bool:
        return bool((self.run.label >= 0).any())

    def _has_planes(self, level: AtlasLevel, source: AtlasSource) -> bool:
        """Whether a level has planes of its own for every class; finer levels show those of the enclosing cells."""
        return level.size <= self.run.settings.heat_level or level is source.levels[0]

    def _has_channel_planes(self, level: AtlasLevel, source: AtlasSource) -> bool:
        """Whether a level has planes of its own for every channel; likewise."""
        return level.size <= self.run.settings.channel_level or level is source.levels[0]

    def _regions_level(self, source: AtlasSource) -> AtlasLevel | None:
        """The level whose regions are named; None without attributions, or where all levels are too fine."""
        return regions_level(source.levels) if source.scale else None

    def _level(self, level: AtlasLevel, source: AtlasSource) -> Content:
        fidelity = next(iter(level.icons.values())).fidelity_centred
        tiles = source.tiles["levels"][str(level.size)]
        shown = self.run.settings.exemplars and level.grid.drawn.any()
        photograph = photograph_pixels(tiles["width"], level.size, self.patch) if shown else 0
        channels = planes_per_block(len(level.grid)) if self._has_channel_planes(level, source) else 0
        return level_entry(level.grid, fidelity, **tiles, photograph=photograph, channels_per_block=channels)

    def _whole_atlas_files(self, level: AtlasLevel, source: AtlasSource) -> Iterator[tuple[str, Content]]:
        """Files of the atlas of all samples alone: polysemantic cells, and counts of each label's samples."""
        if source.scale:
            found = polysemantic_cells(level.grid.attribution, level.grid.drawn, self.run.profiles)
            yield (
                f"{level.size}/polysemantic_cells",
                {
                    "cell": pack_array(found.cell),
                    "first": pack_array(found.classes[:, 0]),
                    "second": pack_array(found.classes[:, 1]),
                    "first_value": pack_array(found.value[:, 0]),
                    "second_value": pack_array(found.value[:, 1]),
                    "overlap": pack_array(found.overlap),
                    "score": pack_array(found.score),
                },
            )
        if self._has_labels and self._has_planes(level, source):
            yield from plane_blocks("label", "count", level, self._label_counts(level, source))

    def _label_counts(self, level: AtlasLevel, source: AtlasSource) -> NDArray[np.int64]:
        """Number of samples of each class in each cell, [class, cell]."""
        label = self.run.label[source.image[self.own.sample]]
        return label_counts(self.own.levels[level.size], label, self.run.classes)

    def _samples(self, source: AtlasSource) -> Content:
        label = self.run.label if self._has_labels else None
        position = source.position if self.run.settings.exemplars else None
        return samples_content(
            source.xy, self.own.sample, self.run.seed, source.image, label, source.prediction, position
        )

    def _links(self, level: AtlasLevel, samples: int) -> Content:
        others = {layer: cells for layer, cells in self.sample_cells.items() if layer != self.layer}
        cell = np.full((len(level.grid), len(others), LINKED), -1)
        share = np.zeros(cell.shape, np.float32)
        for index, other in enumerate(others.values()):
            there = other.cell_of_sample(level.size, samples)[self.own.sample]
            cells = len(other.levels[level.size].cell)
            cell[:, index], share[:, index] = shared_cells(self.own.levels[level.size], there, cells, LINKED)
        return {"layers": list(others), "cell": pack_array(cell), "share": pack_array(share)}


def cells_content(level: AtlasLevel, top: int, names: AtlasNames) -> Content:
    """Row and column, count, metrics and ``top`` strongest classes of every cell; of icons those of the first style.

    Besides which classes may name it, and the most over-represented label, where they are known.
    """
    grid, icons = level.grid, next(iter(level.icons.values()))
    classes, values = top_classes(grid.attribution, top)
    return {
        "cell": pack_array(grid.cell),
        "count": pack_array(grid.count),
        "drawn": pack_array(grid.drawn),
        "spread": pack_array(grid.spread),
        "reliability": pack_array(grid.reliability),
        **_measures(icons),
        "top_class": pack_array(classes),
        "top_value": pack_array(values),
        **_naming_content(names.cells.get(level.size)),
        **_label_content(names.labels.get(level.size)),
    }


def _naming_content(found: Naming | None) -> Content:
    return {} if found is None else {"candidate": pack_array(found.candidate), "named": pack_array(found.named)}


def _label_content(found: LabelLift | None) -> Content:
    return {} if found is None else {"label": pack_array(found.class_), "label_lift": pack_array(found.lift)}


def icons_content(icons: CellIcons) -> Content:
    """What the icons of a further style change: their metrics and origins."""
    return {**_measures(icons), "icon_origin": pack_array(icons.origin)}


def _measures(icons: CellIcons) -> Content:
    recorded = {"legibility": icons.legibility, "large_fidelity_centred": icons.large_fidelity_centred}
    return {
        "fidelity": pack_array(icons.fidelity),
        "fidelity_centred": pack_array(icons.fidelity_centred),
        **{name: pack_array(values) for name, values in recorded.items() if values is not None},
    }


def exemplars_content(level: AtlasLevel, image: NDArray[np.int64], position: NDArray[np.int32], count: int) -> Content:
    """Images and positions of the first ``count`` exemplars of every cell.

    Args:
        level: the cells.
        image: [sample] row of each sample's image.
        position: [sample, 2] (y, x) in the layer's map.
        count: exemplars shown.
    """
    rows, positions = exemplar_positions(level.grid.exemplar[:, :count], image, position)
    return {"image": pack_array(rows), "position": pack_array(positions)}


def neighbors_content(level: AtlasLevel) -> Content:
    """The most similar cells of every cell, cosines in hundredths (-127: none), and the origin of its first icon."""
    hundredths = np.nan_to_num(np.rint(100 * level.neighbors.cosine), nan=-127).astype(np.int8)
    return {
        "cell": pack_array(level.neighbors.cell),
        "hundredths": pack_array(hundredths),
        "icon_origin": pack_array(next(iter(level.icons.values())).origin),
    }


def regions_of(level: AtlasLevel) -> Regions:
    """The regions of a level."""
    grid, drawn = level.grid, level.grid.drawn
    with single_threaded_blas():
        return find_regions(grid.size, grid.cell[drawn], grid.count[drawn], grid.attribution[drawn])


def regions_content(level: AtlasLevel, found: Regions, of_region: Naming) -> Content:
    """The regions of a level that some class may name, their top classes, and which of these may."""
    kept = of_region.candidate[:, :1].any(axis=1)
    return {
        "size": level.size,
        "label_position": pack_array(found.label_position[kept]),
        "cells": pack_array(found.cells[kept]),
        "class": pack_array(found.top[kept]),
        **_naming_content(Naming(of_region.candidate[kept], of_region.named[kept])),
        "cut": pack_array(found.cut[kept]),
    }


def plane_blocks(file: str, key: str, level: AtlasLevel, values: NDArray[Any]) -> Iterator[tuple[str, Content]]:
    """Values [class, cell] split into files ``<level>/<file>-<block>`` of a few classes each, under ``key``."""
    step = planes_per_block(values.shape[1])
    for index, start in enumerate(range(0, len(values), step)):
        yield f"{level.size}/{file}-{index}", {key: pack_array(values[start : start + step])}
