"""How many bytes each stage leaves on disk, before compression, by the data model of the artifacts."""

from collections.abc import Mapping

import numpy as np

from pipeline.core import artifacts as a
from pipeline.core.artifacts import KEY_BYTES, Artifact
from pipeline.plan.counts import LevelCount, icons, level_counts, points
from pipeline.plan.given import FLOAT_BYTES, Sizes

# measured on a run of SqueezeNet over 1,000 photographs: pyramids of icons of 48 and 96 px, exemplars of 256 px
TILE_BYTES = {"webp": 0.45, "jpeg": 0.6, "png": 2.7}  # a pixel of the full size, the smaller sizes included
PICTURE_BYTES = 0.18  # a pixel of an exemplar's picture
HEAT_BYTES = 1.0  # a cell and class, packed for the page
CELL_BYTES, MEMBER_BYTES = 100, 6  # a cell, and a sample, packed for the page
ENTRY_BYTES = 100  # of an icon in the cache, besides its pixels and its activation
LISTED_BYTES = 120  # an image in the list of images


def row_bytes(artifact: Artifact, widths: Mapping[str, int], narrow: Mapping[str, int] | None = None) -> int:
    """Bytes of one row of an artifact.

    Args:
        artifact: the data model.
        widths: numbers in a row of each array; arrays that are not named are not stored.
        narrow: bytes of a number, where an array is stored in another number type than the model says.
    """
    sizes = {name: np.dtype(artifact.arrays[name].dtype).itemsize for name in widths} | dict(narrow or {})
    return sum(width * sizes[name] for name, width in widths.items())


def sample_row(sizes: Sizes, layer: str) -> int:
    """Bytes of one sample of a layer."""
    widths = {"activation": sizes.channels[layer], "attribution": sizes.attributed, "image": 1, "position": 2}
    return row_bytes(a.ACTIVATIONS, widths, {"activation": sizes.stored, "attribution": sizes.stored})


def layout_row() -> int:
    """Bytes of one point of a layout."""
    return row_bytes(a.LAYOUT, {"sample": 1, "xy": 2})


def grid_row(sizes: Sizes, layer: str) -> int:
    """Bytes of one cell of a grid."""
    widths = {"activation": sizes.channels[layer], "attribution": sizes.attributed, "cell": 2}
    ones = dict.fromkeys(("count", "drawn", "spread", "reliability"), 1)
    return row_bytes(a.GRID, widths | ones | {"exemplar": sizes.params.grid.exemplars})


def icon_row(side: int) -> int:
    """Bytes of one icon in its artifact."""
    ones = dict.fromkeys(("cell", "fidelity", "fidelity_centred"), 1)
    return row_bytes(a.ICONS, ones | {"icon": 3 * side * side, "key": KEY_BYTES, "parent": KEY_BYTES})


def cached_icon(side: int, channels: int) -> int:
    """Bytes of one icon in the cache, which keeps every attempt."""
    return 3 * side * side + FLOAT_BYTES * channels + ENTRY_BYTES


def prepare(sizes: Sizes) -> int:
    """The list of images."""
    return LISTED_BYTES * sizes.images


def sample(sizes: Sizes, layer: str) -> int:
    """A layer's samples."""
    return sizes.samples * sample_row(sizes, layer)


def reduce(sizes: Sizes, atlas: str) -> int:
    """A layout."""
    return points(sizes, atlas) * layout_row()


def grid(sizes: Sizes, layer: str, levels: list[LevelCount]) -> int:
    """A grid, all its levels."""
    return sum(level.occupied for level in levels) * grid_row(sizes, layer)


def render(sizes: Sizes, layer: str, levels: list[LevelCount]) -> int:
    """Icons, in their artifact and in the cache."""
    side = sizes.params.render.for_layer(layer).size
    return icons(levels) * (icon_row(side) + cached_icon(side, sizes.channels[layer]))


def tile_side(sizes: Sizes, layer: str) -> int:
    """Pixels along an icon in the tiles."""
    return sizes.params.tile.icon_size or sizes.params.render.for_layer(layer).size


def tile(sizes: Sizes, layer: str, levels: list[LevelCount]) -> int:
    """The tiles of an atlas; empty cells take next to none."""
    return round(icons(levels) * tile_side(sizes, layer) ** 2 * TILE_BYTES[sizes.params.tile.format])


def picture_bytes(sizes: Sizes) -> int:
    """One exemplar's picture."""
    return round(min(sizes.params.site.image_size, sizes.crop) ** 2 * PICTURE_BYTES)


def pictures(sizes: Sizes) -> int:
    """Pictures of exemplars that the site shows at most."""
    exemplars = min(sizes.params.site.exemplars, sizes.params.grid.exemplars)
    return min(sizes.images, len(sizes.channels) * sum(level.occupied for level in _all_levels(sizes)) * exemplars)


def site(sizes: Sizes) -> int:
    """The data of the pages."""
    levels = _all_levels(sizes)
    heat = sum(level.occupied for level in levels if level.size <= sizes.params.site.heat_level) * sizes.attributed
    members = sum(points(sizes, atlas) for atlas in sizes.params.atlases) * MEMBER_BYTES
    cells = sum(level.occupied for level in levels) * CELL_BYTES
    return pictures(sizes) * picture_bytes(sizes) + len(sizes.channels) * round(heat * HEAT_BYTES + cells + members)


def total(sizes: Sizes) -> int:
    """What all stages together leave on disk."""
    of_atlases = sum(
        reduce(sizes, atlas) + grid(sizes, layer, levels) + render(sizes, layer, levels) + tile(sizes, layer, levels)
        for atlas in sizes.params.atlases
        for levels in [level_counts(sizes, atlas)]
        for layer in sizes.channels
    )
    return prepare(sizes) + sum(sample(sizes, layer) for layer in sizes.channels) + of_atlases + site(sizes)


def _all_levels(sizes: Sizes) -> list[LevelCount]:
    """The levels of all atlases of one layer."""
    return [level for atlas in sizes.params.atlases for level in level_counts(sizes, atlas)]
