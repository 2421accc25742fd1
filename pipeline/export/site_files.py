"""Every file that the pages of a site may load, derived from its manifest and its lists of images."""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from math import ceil
from pathlib import Path
from typing import Any

from pipeline.core.errors import ArtifactError
from pipeline.core.site_data import read_data_script
from pipeline.site.pages import DATA_FORMAT

Found = Mapping[str, Any]

ADDRESS = re.compile(r'(?:src|href)="([^":]+)"')  # no scheme: beside the page
METRICS_FILE = "figures.js"  # metrics of the run; the commands write it beside the pages
PATCH_IMAGES = {"file", "before", "after"}  # keys that name an image file in the result of a patch test


def site_files(site: Path, pages: Iterator[str] | tuple[str, ...]) -> Iterator[str]:
    """Paths of files, relative to the site.

    Outputs of the stages ``patch`` and ``predict`` are left out where they have not run; the pages handle that.

    Args:
        site: usually ``outputs/site``.
        pages: its pages.

    Raises:
        ArtifactError: a file that names others is missing or damaged, or the data have another format.
    """
    for page in pages:
        yield page
        yield from ADDRESS.findall((site / page).read_text("utf-8")) if (site / page).is_file() else ()
    yield "data/bookmarks.js"
    if (site / METRICS_FILE).is_file():
        yield METRICS_FILE
    manifest = read_data_script(site / "data/manifest.js")
    if manifest.get("format") != DATA_FORMAT:
        raise ArtifactError(
            f"{site / 'data/manifest.js'}: expected data of format {DATA_FORMAT}, found {manifest.get('format')}; "
            "run 'atlas run' again"
        )
    if manifest["exemplars"]:
        yield from _images(site, "data/images", manifest["images"], manifest["images_per_folder"])
    for layer in manifest["layers"]:
        for atlas in layer["atlases"]:
            yield from _data(manifest, layer["name"], atlas)
            yield from _tiles(layer["name"], atlas)
            yield from _patch(site, f"patch/{layer['name']}/{atlas['name']}")
        if manifest["second_image_set"]:
            yield from _second(site, f"place/{layer['name']}")


def _data(manifest: Found, layer: str, atlas: Found) -> Iterator[str]:
    """The data files of one atlas."""
    classes, folder = len(manifest["network"]["classes"]), f"data/{layer}/{atlas['name']}"
    for size in (level["size"] for level in atlas["levels"]):
        yield f"{folder}/{size}/cells.js"
        yield f"{folder}/{size}/links.js"
        yield f"{folder}/{size}/neighbors.js"
        if manifest["exemplars"]:
            yield f"{folder}/{size}/exemplars.js"
        if atlas["kind"] == "all" and atlas["heatmap"]:
            yield f"{folder}/{size}/polysemantic_cells.js"
    heatmap_levels = atlas["heatmap"]["levels"] if atlas["heatmap"] else ()
    for name, levels in (("heatmap", heatmap_levels), ("label", atlas["label_levels"])):
        for level in levels:
            for block in range(ceil(classes / level["classes_per_block"])):
                yield f"{folder}/{level['size']}/{name}-{block}.js"
    if atlas["regions"]:
        yield f"{folder}/regions.js"
    if manifest["exemplars"]:
        yield from _members(folder, atlas["levels"][-1]["samples"], atlas["members_per_block"])


def _members(folder: str, samples: int, per_block: int) -> Iterator[str]:
    for block in range(ceil(samples / per_block)):
        yield f"{folder}/members-{block}.js"


def _tiles(layer: str, atlas: Found) -> Iterator[str]:
    """Every tile of every reduced image, in Deep Zoom's numbering."""
    form, folder = atlas["tiles"], f"tiles/{layer}/{atlas['name']}"
    for level in atlas["levels"]:
        width, height = level["width"], level["height"]
        finest = (max(width, height) - 1).bit_length()
        for reduced in range(finest + 1):
            sides = (ceil(ceil(side / 2 ** (finest - reduced)) / form["tile_size"]) for side in (width, height))
            for column, row in product(*map(range, sides)):
                yield f"{folder}/{level['size']}_files/{reduced}/{column}_{row}.{form['format']}"


def _images(site: Path, folder: str, images: int, per_folder: int) -> Iterator[str]:
    """The lists of images, and the thumbnails that they name."""
    for number in range(ceil(images / per_folder)):
        yield f"{folder}/{number}.js"
        listed = read_data_script(site / folder / f"{number}.js")
        yield from (f"{folder}/{number}/{row}.webp" for row, (_, _, stored) in listed.items() if stored)


def _second(site: Path, folder: str) -> Iterator[str]:
    """Files of the second image set at a layer."""
    yield f"{folder}/place.js"
    place = read_data_script(site / folder / "place.js")
    yield from _members(folder, place["samples"], place["members_per_block"])
    yield from _images(site, f"{folder}/images", place["images"], place["images_per_folder"])


def _patch(site: Path, folder: str) -> Iterator[str]:
    """The result of a patch test and the images that it names."""
    if (site / folder / "result.js").is_file():
        yield f"{folder}/result.js"
        yield from (f"{folder}/{name}" for name in _patch_images(read_data_script(site / folder / "result.js")))


def _patch_images(content: Any) -> Iterator[str]:
    if isinstance(content, Mapping):
        for key, value in content.items():
            if key in PATCH_IMAGES and isinstance(value, str):
                yield value
            else:
                yield from _patch_images(value)
    elif isinstance(content, list):
        for value in content:
            yield from _patch_images(value)
