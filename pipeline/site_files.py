"""Which files the pages of a site may load: all of them are derived from its manifest and its lists of images."""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from math import ceil
from pathlib import Path
from typing import Any

from pipeline.core.errors import ArtifactError
from pipeline.core.site_data import read_data_script
from pipeline.site.pages import DATA_FORMAT
from pipeline.site.tile_scripts import script_levels
from pipeline.site_metrics import METRICS_FILE

Values = Mapping[str, Any]

ADDRESS = re.compile(r'(?:src|href)="([^":]+)"')  # no scheme: beside the page
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
        yield from _image_files(site, "data/images", manifest["images"], manifest["images_per_folder"])
    for layer in manifest["layers"]:
        yield f"data/{layer['name']}/channels.js"
        for atlas in layer["atlases"]:
            yield from _data_files(manifest, layer, atlas)
            yield from _tile_files(manifest, layer["name"], atlas)
            yield from _patch_files(site, f"patch/{layer['name']}/{atlas['name']}")
        if manifest["second_image_set"]:
            yield from _second_set_files(site, f"place/{layer['name']}")
    yield from _optional_files(site, manifest)


def _optional_files(site: Path, manifest: Values) -> Iterator[str]:
    """What the stages write that only some runs have."""
    for layer in manifest["units"]:
        yield from _unit_files(site, f"units/{layer}")
    for layer in manifest["explain"]:
        yield from _explain_files(site, f"explain/{layer}")
    for method in manifest["synthesize"]:
        yield from _synthesize_files(site, f"synthesize/{method}")


def _data_files(manifest: Values, layer: Values, atlas: Values) -> Iterator[str]:
    """The data files of one atlas."""
    classes, folder = len(manifest["network"]["classes"]), f"data/{layer['name']}/{atlas['name']}"
    yield f"{folder}/samples.js"
    for level in atlas["levels"]:
        size, per_block = level["size"], level.get("channels_per_block")
        yield f"{folder}/{size}/channels.js"
        for block in range(ceil(layer["channels"] / per_block) if per_block else 0):
            yield f"{folder}/{size}/activation-{block}.js"
        yield f"{folder}/{size}/cells.js"
        yield f"{folder}/{size}/links.js"
        yield f"{folder}/{size}/neighbors.js"
        yield from (f"{folder}/{size}/icons-{style}.js" for style in atlas["styles"][1:])
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
        yield from _member_files(folder, atlas["levels"][-1]["samples"], atlas["members_per_block"])


def _member_files(folder: str, samples: int, per_block: int) -> Iterator[str]:
    for block in range(ceil(samples / per_block)):
        yield f"{folder}/members-{block}.js"


def _tile_files(manifest: Values, layer: str, atlas: Values) -> Iterator[str]:
    """Every tile of each style of icons and of the photographs, in Deep Zoom's numbering."""
    first, styles = f"tiles/{layer}/{atlas['name']}", atlas["styles"]
    folders = [first, *(f"{first}/{style}" for style in styles[1:])]
    for level in atlas["levels"]:
        pyramids = [(f"{folder}/{level['size']}_files", level["width"]) for folder in folders]
        if side := level["size"] * level.get("photograph", 0):
            pyramids.append((f"data/{layer}/{atlas['name']}/photographs/{level['size']}_files", side))
        for pyramid, side in pyramids:
            yield from _pyramid_files(pyramid, side, atlas["tiles"], manifest["png_from_disk"])


def _pyramid_files(folder: str, side: int, form: Values, scripts: bool) -> Iterator[str]:
    """Every tile of an image and of its reductions, and the scripts that hold tiles."""
    finest = (side - 1).bit_length()
    scripted = set(script_levels(side)) if scripts else ()
    for reduced in range(finest + 1):
        tiles = range(ceil(ceil(side / 2 ** (finest - reduced)) / form["tile_size"]))
        for column, row in product(tiles, tiles):
            yield f"{folder}/{reduced}/{column}_{row}.{form['format']}"
            if reduced in scripted:
                yield f"data/pixels/{folder.removeprefix('data/')}/{reduced}/{column}_{row}.js"


def _image_files(site: Path, folder: str, images: int, per_folder: int) -> Iterator[str]:
    """The lists of images, and the thumbnails that they name."""
    for number in range(ceil(images / per_folder)):
        yield f"{folder}/{number}.js"
        listed = read_data_script(site / folder / f"{number}.js")
        yield from (f"{folder}/{number}/{row}.webp" for row, (_, _, stored) in listed.items() if stored)


def _second_set_files(site: Path, folder: str) -> Iterator[str]:
    """Files of the second image set at a layer."""
    yield f"{folder}/place.js"
    place = read_data_script(site / folder / "place.js")
    yield from _member_files(folder, place["samples"], place["members_per_block"])
    yield from _image_files(site, f"{folder}/images", place["images"], place["images_per_folder"])


def _patch_files(site: Path, folder: str) -> Iterator[str]:
    """The result of a patch test and the images that it names."""
    if (site / folder / "result.js").is_file():
        yield f"{folder}/result.js"
        yield from (f"{folder}/{name}" for name in _named_images(read_data_script(site / folder / "result.js")))


def _unit_files(site: Path, folder: str) -> Iterator[str]:
    """What is known of a layer's units, their pictures, strips of their examples, and comparison sheets."""
    yield f"{folder}/units.js"
    content = read_data_script(site / folder / "units.js")
    yield from (f"{folder}/filters/{number}.webp" for number in range(len(content["filters"])))
    for sheet in content["sheets"]:
        for number, row in enumerate(sheet["rows"]):
            if any(row["cells"]):
                yield f"{folder}/sheets/{sheet['name']}/{number}.webp"
    for unit in content["units"]:
        name = f"{unit['channel']}.webp"
        if unit["pictures"]:
            yield f"{folder}/pictures/{name}"
        if len(unit["pictures"]) > 1:
            yield f"{folder}/variants/{name}"
        if unit["examples"]:
            yield f"{folder}/examples/{name}"
        if unit["maps"]:
            yield f"{folder}/maps/{name}"


def _explain_files(site: Path, folder: str) -> Iterator[str]:
    """What explains the outputs of a layer: heat maps, nearest images and small changes."""
    yield f"{folder}/explain.js"
    yield f"{folder}/images.js"
    content = read_data_script(site / folder / "explain.js")
    yield from (f"{folder}/rows/{strip}.webp" for strip in sorted({row["strip"] for row in content["rows"]}))
    nearest = content["neighbors"]["images"].values() if content["neighbors"] else ()
    rows = {row for found in nearest for space in found.values() for row in space}
    boxes = content["regions"]["boxes"] if content["regions"] else ()
    rows |= {one["image"] for box in boxes for one in (box, *box["matches"])}
    for atlas in content["atlas"]:
        yield from (f"{folder}/atlas/{atlas['layer']}/{image}.webp" for image in atlas["images"])
    yield from (f"{folder}/thumbnails/{row}.webp" for row in sorted(rows))
    for one in content["fooling"] or ():
        yield f"{folder}/fooling/{one['row']}.webp"
        yield from (f"{folder}/fooling/{moved['layer']}/{one['row']}.webp" for moved in one["moved"])


def _synthesize_files(site: Path, folder: str) -> Iterator[str]:
    """The sheet of a method: its pictures, and its files to download."""
    yield f"{folder}/synthesize.js"
    content = read_data_script(site / folder / "synthesize.js")
    yield from (f"{folder}/{name}" for name in content["downloads"])
    for number, row in enumerate(content["rows"]):
        yield from (f"{folder}/{number}-{column}.webp" for column, one in enumerate(row["pictures"]) if one is not None)


def _named_images(content: Any) -> Iterator[str]:
    if isinstance(content, Mapping):
        for key, value in content.items():
            if key in PATCH_IMAGES and isinstance(value, str):
                yield value
            else:
                yield from _named_images(value)
    elif isinstance(content, list):
        for value in content:
            yield from _named_images(value)
