"""How many bytes each artifact takes on disk before compression, from the data model of the artifacts."""

from collections.abc import Mapping

import numpy as np

from pipeline.core import artifacts as a
from pipeline.core.artifacts import KEY_BYTES, Artifact
from pipeline.plan.inputs import LevelCount, Sizes, cell_count, icon_count, large_count, level_counts, point_count

FLOAT_BYTES = 4
# measured on a run of SqueezeNet over 1,000 photographs: pyramids of icons of 48 and 96 px, exemplars of 256 px
TILE_BYTES = {"webp": 0.45, "jpeg": 0.6, "png": 2.7}  # per pixel of the full size, the smaller sizes included
EXEMPLAR_BYTES = 0.18  # per pixel of an exemplar's image
PLANE_BYTES = 5.0  # per cell and class or channel, in the page's data
CELL_BYTES, MEMBER_BYTES = 190, 6  # per cell, and per sample, in the page's data
SHOWN_BYTES, MOST_SHOWN = 20, 20_000  # per sample that the page shows as a point, and points of an atlas at most
CACHE_ENTRY_BYTES = 100  # per icon in the cache, besides its pixels and its activation
IMAGE_LIST_BYTES = 120  # per image in the list of images


def row_bytes(artifact: Artifact, widths: Mapping[str, int], number_bytes: Mapping[str, int] | None = None) -> int:
    """Bytes of one row of an artifact.

    Args:
        artifact: the data model.
        widths: numbers per row of each array; arrays that are not named are not stored.
        number_bytes: bytes of a number, for arrays that are stored in another type than the data model says.
    """
    sizes = {name: np.dtype(artifact.arrays[name].dtype).itemsize for name in widths} | dict(number_bytes or {})
    return sum(width * sizes[name] for name, width in widths.items())


def activation_row(sizes: Sizes, layer: str) -> int:
    """Bytes of one sample of a layer."""
    widths = {"activation": sizes.channels[layer], "attribution": sizes.attributions, "image": 1, "position": 2}
    widths |= {"prediction": 1} if sizes.attributions else {}
    return row_bytes(a.ACTIVATIONS, widths, {"activation": sizes.number_bytes, "attribution": sizes.number_bytes})


def layout_row() -> int:
    """Bytes of one point of a layout."""
    return row_bytes(a.LAYOUT, {"sample": 1, "xy": 2})


def grid_row(sizes: Sizes, layer: str) -> int:
    """Bytes of one cell of a grid."""
    widths = {"activation": sizes.channels[layer], "attribution": sizes.attributions, "cell": 2}
    scalars = dict.fromkeys(("count", "drawn", "spread", "reliability"), 1)
    return row_bytes(a.GRID, widths | scalars | {"exemplar": sizes.params.grid.exemplars})


def icon_row(side: int) -> int:
    """Bytes of one icon of ``side`` pixels in its artifact."""
    scalars = dict.fromkeys(("cell", "fidelity", "fidelity_centred"), 1)
    return row_bytes(a.ICONS, scalars | {"icon": 3 * side * side, "key": KEY_BYTES, "parent": KEY_BYTES})


def large_icon_row(side: int) -> int:
    """Bytes of one large icon of ``side`` pixels in the artifact."""
    return row_bytes(a.ICONS, {"large": 3 * side * side, "large_key": KEY_BYTES, "large_fidelity_centred": 1})


def cached_icon(side: int, channels: int) -> int:
    """Bytes of one icon in the cache, which keeps every attempt."""
    return 3 * side * side + FLOAT_BYTES * channels + CACHE_ENTRY_BYTES


def image_list_bytes(sizes: Sizes) -> int:
    """Bytes of the list of images."""
    return IMAGE_LIST_BYTES * sizes.images


def activations_bytes(sizes: Sizes, layer: str) -> int:
    """Bytes of a layer's samples."""
    return sizes.samples * activation_row(sizes, layer)


def layout_bytes(sizes: Sizes, atlas: str) -> int:
    """Bytes of a layout."""
    return point_count(sizes, atlas) * layout_row()


def grid_bytes(sizes: Sizes, layer: str, levels: list[LevelCount]) -> int:
    """Bytes of a grid with all its levels."""
    return cell_count(levels) * grid_row(sizes, layer)


def icons_bytes(sizes: Sizes, layer: str, levels: list[LevelCount]) -> int:
    """Bytes of an atlas's icons of all styles, in their artifact and in the cache."""
    settings = sizes.params.render.for_layer(layer)
    each = icon_row(settings.size) + cached_icon(settings.size, sizes.channels[layer])
    side = settings.large_side
    each_large = large_icon_row(side) + cached_icon(side, sizes.channels[layer])
    return len(settings.styles) * (icon_count(levels) * each + large_count(sizes, levels) * each_large)


def tile_icon_sides(sizes: Sizes, layer: str) -> tuple[int, int]:
    """Side of an icon in the tiles, and of one in those of the level with large icons, pixels."""
    settings, fixed = sizes.params.render.for_layer(layer), sizes.params.tile.icon_size
    return fixed or settings.size, fixed or settings.large_side


def tile_pixels(sizes: Sizes, layer: str, levels: list[LevelCount]) -> int:
    """Pixels of all icons of all styles in an atlas's tiles of the full size."""
    side, large = tile_icon_sides(sizes, layer)
    larger = large_count(sizes, levels)
    return len(sizes.params.render.styles) * ((icon_count(levels) - larger) * side**2 + larger * large**2)


def tiles_bytes(sizes: Sizes, layer: str, levels: list[LevelCount]) -> int:
    """Bytes of an atlas's tiles of all styles; empty cells take next to none."""
    return round(tile_pixels(sizes, layer, levels) * TILE_BYTES[sizes.params.tile.format])


def exemplar_bytes(sizes: Sizes) -> int:
    """Bytes of one exemplar's image."""
    return round(min(sizes.params.site.image_size, sizes.crop) ** 2 * EXEMPLAR_BYTES)


def exemplar_images(sizes: Sizes) -> int:
    """Number of images that the site shows as exemplars, at most."""
    exemplars = min(sizes.params.site.exemplars, sizes.params.grid.exemplars)
    return min(sizes.images, len(sizes.channels) * cell_count(_levels_of_all_atlases(sizes)) * exemplars)


def site_bytes(sizes: Sizes) -> int:
    """Bytes of the page's data and images."""
    settings, levels = sizes.params.site, _levels_of_all_atlases(sizes)
    heatmaps = _cells_with_planes(sizes, settings.heat_level) * sizes.attributions * len(sizes.channels)
    channels = _cells_with_planes(sizes, settings.channel_level) * sum(sizes.channels.values())
    points = [point_count(sizes, atlas) for atlas in sizes.params.atlases]
    samples = sum(points) * MEMBER_BYTES + sum(min(count, MOST_SHOWN) for count in points) * SHOWN_BYTES
    each_layer = cell_count(levels) * CELL_BYTES + samples
    planes = round((heatmaps + channels) * PLANE_BYTES)
    return exemplar_images(sizes) * exemplar_bytes(sizes) + planes + len(sizes.channels) * each_layer


def total_bytes(sizes: Sizes) -> int:
    """Bytes of all artifacts of a run."""
    of_atlases = sum(
        layout_bytes(sizes, atlas)
        + grid_bytes(sizes, layer, levels)
        + icons_bytes(sizes, layer, levels)
        + tiles_bytes(sizes, layer, levels)
        for atlas in sizes.params.atlases
        for levels in [level_counts(sizes, atlas)]
        for layer in sizes.channels
    )
    activations = sum(activations_bytes(sizes, layer) for layer in sizes.channels)
    return image_list_bytes(sizes) + activations + of_atlases + site_bytes(sizes)


def _cells_with_planes(sizes: Sizes, finest: int) -> int:
    """Cells of one layer that have planes of their own: those of the levels up to ``finest``, or of the coarsest."""
    found = (level_counts(sizes, atlas) for atlas in sizes.params.atlases)
    return sum(cell_count([level for level in levels if level.size <= finest] or levels[:1]) for levels in found)


def _levels_of_all_atlases(sizes: Sizes) -> list[LevelCount]:
    """The levels of all atlases of one layer."""
    return [level for atlas in sizes.params.atlases for level in level_counts(sizes, atlas)]
